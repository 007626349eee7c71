import {
  DASHBOARD_PROTOCOL_VERSION,
  dashboardToHostSchema,
  type DashboardRequest,
  type DashboardResult,
  type DashboardToHost,
  type DashboardToWebview,
  type DashboardUpdate,
  type ExpertsFrame,
  type RetrievalFigures,
  type RunKey,
} from './dashboard-protocol';
import type { Question, ToReader } from '../reader/readerMessages';

/** The reader thread as a session uses it. */
export interface SessionReader {
  post(message: Exclude<ToReader, Question>): void;
  expertsAt(run: RunKey, step: number): Promise<ExpertsFrame | null>;
  sketchAt(run: RunKey, layer: number, step: number): Promise<RetrievalFigures | null>;
  dispose(): void;
}

export interface SessionEnvironment {
  readonly send: (message: DashboardToWebview) => void;
  /** Starts a reader thread; asked again when one has failed. */
  readonly startReader: (events: { update: (update: DashboardUpdate) => void; failed: (error: Error) => void }) => SessionReader;
  readonly runs: () => readonly RunKey[];
  readonly isVisible: () => boolean;
  /** What the editor does for the page. Rejections become error replies. */
  readonly perform: (request: Exclude<DashboardRequest, { readonly kind: 'expertsAt' | 'sketchAt' }>) => Promise<void>;
  readonly logError: (error: Error) => void;
}

/** Host side of one dashboard, apart from the editor: takes the webview's messages, answers them, hands updates on while it is seen. */
export class DashboardSession {
  private readonly cancelled = new Set<number>();
  private readonly inFlight = new Set<number>();
  private reader: SessionReader | null = null;
  private disposed = false;

  constructor(private readonly environment: SessionEnvironment) {}

  receive(raw: unknown): void {
    if (this.disposed) return;
    const parsed = dashboardToHostSchema.safeParse(raw);
    if (!parsed.success) {
      this.environment.logError(new Error(`The dashboard sent a message that is not understood: ${parsed.error.message}`));
      return;
    }
    const message: DashboardToHost = parsed.data;
    switch (message.type) {
      case 'ready':
        return this.welcome(message.version);
      case 'view':
        return this.startedReader().post({ type: 'view', view: message.view });
      case 'request':
        void this.answer(message.id, message.request);
        return;
      case 'cancel':
        if (this.inFlight.has(message.id)) this.cancelled.add(message.id);
        return;
    }
  }

  /** The page is gone until it is seen again; then it says `ready` anew and gets a snapshot. */
  hidden(): void {
    this.reader?.post({ type: 'pause' });
  }

  runsChanged(runs: readonly RunKey[]): void {
    this.reader?.post({ type: 'runs', runs });
  }

  dispose(): void {
    this.disposed = true;
    this.reader?.dispose();
    this.reader = null;
  }

  private welcome(version: number): void {
    if (version !== DASHBOARD_PROTOCOL_VERSION) {
      this.send({ type: 'versionMismatch', version: DASHBOARD_PROTOCOL_VERSION });
      return;
    }
    this.startedReader().post({ type: 'restart' });
    this.send({ type: 'welcome', version });
  }

  private startedReader(): SessionReader {
    if (this.reader !== null) return this.reader;
    const reader = this.environment.startReader({
      update: (update) => {
        if (this.environment.isVisible()) this.send(update);
      },
      failed: (error) => {
        this.reader = null;
        this.environment.logError(error);
        this.send({ type: 'notice', message: `Reading the runs has stopped: ${error.message}`, advice: 'Close and reopen the dashboard.' });
      },
    });
    reader.post({ type: 'runs', runs: this.environment.runs() });
    this.reader = reader;
    return reader;
  }

  /** Every request gets exactly one answer, unless it was cancelled. */
  private async answer(id: number, request: DashboardRequest): Promise<void> {
    this.inFlight.add(id);
    const reply = await this.perform(request).then(
      (result): DashboardToWebview => ({ type: 'response', id, result }),
      (reason: unknown): DashboardToWebview => {
        const error = reason instanceof Error ? reason : new Error(String(reason));
        this.environment.logError(error);
        return { type: 'error', id, message: error.message, advice: 'The output channel MoE Lab has the details.' };
      },
    );
    this.inFlight.delete(id);
    if (!this.cancelled.delete(id)) this.send(reply);
  }

  private async perform(request: DashboardRequest): Promise<DashboardResult> {
    if (request.kind === 'expertsAt') {
      return { kind: 'experts', frame: await this.startedReader().expertsAt(request.run, request.step) };
    }
    if (request.kind === 'sketchAt') {
      return { kind: 'sketch', figures: await this.startedReader().sketchAt(request.run, request.layer, request.step) };
    }
    await this.environment.perform(request);
    return { kind: 'done' };
  }

  private send(message: DashboardToWebview): void {
    if (!this.disposed) this.environment.send(message);
  }
}
