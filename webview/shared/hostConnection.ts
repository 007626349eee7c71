import type { ZodType } from 'zod';

/** What the editor gives a webview, once. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** The host's answer that a request failed: what happened and what can be done. */
class HostError extends Error {
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** Something went wrong: what, and what can be done. */
export interface Notice {
  readonly type: 'notice';
  readonly message: string;
  readonly advice: string;
}

/** How the host answers a request, whatever the page. */
type Answer<Result> =
  | { readonly type: 'response'; readonly id: number; readonly result: Result }
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly advice: string };

type ResultOf<Message> = Message extends { readonly type: 'response'; readonly result: infer Result } ? Result : never;

export interface PageEnd<Message> {
  /** Of what the host sends. */
  readonly schema: ZodType<Message>;
  readonly receive: (message: Message) => void;
  readonly notice: (notice: Notice) => void;
}

interface Pending<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** A page's end of the talk with its host: messages that are checked, and numbered requests with answers, errors and cancellation. */
export class HostConnection<Request, Message extends { readonly type: string }> {
  private readonly api = acquireVsCodeApi();
  private readonly pending = new Map<number, Pending<ResultOf<Message>>>();
  private nextId = 1;
  private saved = '';

  constructor(private readonly page: PageEnd<Message>) {
    window.addEventListener('message', (event: MessageEvent<unknown>) => this.receive(event.data));
  }

  post(message: unknown): void {
    this.api.postMessage(message);
  }

  /** Rejects with what `report` shows; where `signal` aborts, the host is told to stop and nothing is shown. */
  request(request: Request, signal?: AbortSignal): Promise<ResultOf<Message>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => {
        if (!this.pending.delete(id)) return;
        this.post({ type: 'cancel', id });
        reject(new DOMException('The request is no longer needed.', 'AbortError'));
      });
      this.post({ type: 'request', id, request });
    });
  }

  /** Shows why a request failed, unless nobody waits for it any more. */
  readonly report = (error: unknown): void => {
    if (error instanceof DOMException && error.name === 'AbortError') return;
    const message = error instanceof Error ? error.message : String(error);
    this.page.notice({ type: 'notice', message, advice: error instanceof HostError ? error.advice : '' });
  };

  /** Only navigation and UI state; data comes again from the host. */
  get savedState(): unknown {
    return this.api.getState();
  }

  saveState(state: unknown): void {
    const text = JSON.stringify(state);
    if (text === this.saved) return;
    this.saved = text;
    this.api.setState(state);
  }

  private receive(raw: unknown): void {
    const parsed = this.page.schema.safeParse(raw);
    if (!parsed.success) {
      const message = 'A message from the extension was not understood.';
      return this.page.notice({ type: 'notice', message, advice: `Reload the window. ${parsed.error.issues[0]?.message ?? ''}` });
    }
    if (isAnswer(parsed.data)) this.settle(parsed.data);
    this.page.receive(parsed.data);
  }

  private settle(answer: Answer<ResultOf<Message>>): void {
    const waiting = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if (answer.type === 'response') waiting?.resolve(answer.result);
    else waiting?.reject(new HostError(answer.message, answer.advice));
  }
}

/** The schema of the page has checked the rest. */
function isAnswer<Message extends { readonly type: string }>(message: Message): message is Message & Answer<ResultOf<Message>> {
  return message.type === 'response' || message.type === 'error';
}
