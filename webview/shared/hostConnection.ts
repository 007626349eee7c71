/** What the editor gives a webview, once. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** The host's answer that a request failed: what happened and what can be done. */
export class HostError extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

interface Pending<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** Numbered requests to the host over a webview's messages, with answers, errors and cancellation. */
export class HostConnection<Request, Result> {
  private readonly api = acquireVsCodeApi();
  private readonly pending = new Map<number, Pending<Result>>();
  private nextId = 1;

  constructor(receive: (message: unknown) => void) {
    window.addEventListener('message', (event: MessageEvent<unknown>) => receive(event.data));
  }

  post(message: unknown): void {
    this.api.postMessage(message);
  }

  /** Rejects with HostError, or with an AbortError when `signal` aborts, which also tells the host to stop. */
  request(request: Request, signal?: AbortSignal): Promise<Result> {
    const id = this.nextId++;
    return new Promise<Result>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        if (!this.pending.delete(id)) return;
        this.post({ type: 'cancel', id });
        reject(new DOMException('The request is no longer needed.', 'AbortError'));
      });
      this.post({ type: 'request', id, request });
    });
  }

  settle(id: number, result: Result): void {
    this.pending.get(id)?.resolve(result);
    this.pending.delete(id);
  }

  fail(id: number, message: string, advice: string): void {
    this.pending.get(id)?.reject(new HostError(message, advice));
    this.pending.delete(id);
  }

  /** Only navigation and UI state; data comes again from the host. */
  get savedState(): unknown {
    return this.api.getState();
  }

  saveState(state: unknown): void {
    this.api.setState(state);
  }
}
