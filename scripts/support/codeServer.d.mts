export interface Workbench {
  readonly node: string;
  readonly server: string;
}

export interface CodeServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<void>;
  /** Ends the server's whole process group. */
  stop(): Promise<void>;
}

export declare const quietSettings: Readonly<Record<string, unknown>>;
export declare function freePort(): Promise<number>;
export declare function installExtensions(
  workbench: Workbench,
  options: { folder: string; extensions: string; vsix: readonly string[] },
): Promise<void>;
export declare function startCodeServer(
  workbench: Workbench,
  options: {
    folder: string;
    extensions: string;
    port?: number;
    settings?: Readonly<Record<string, unknown>>;
    env?: Readonly<Record<string, string>>;
  },
): Promise<CodeServer>;
