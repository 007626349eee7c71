import { afterAll, beforeAll, beforeEach, onTestFailed } from 'vitest';
import { Session, type SessionOptions } from './session';

/**
 * One VS Code for all tests of a file, which build upon each other like the steps of a person. When a test fails, a picture of the window
 * stays beside the server's log.
 */
export function useSession(options: SessionOptions): () => Session {
  let session: Session | undefined;
  const get = (): Session => {
    if (!session) throw new Error('VS Code did not start.');
    return session;
  };
  beforeAll(async () => {
    session = await Session.start(options);
  });
  beforeEach(() => {
    onTestFailed(({ task }) => session?.keepEvidence(task.name));
  });
  afterAll(() => session?.close());
  return get;
}
