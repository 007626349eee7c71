/**
 * Asks again until the answer is not undefined or false, and returns it. The failure says what was waited for and what the last answer or
 * error was.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  seconds = 30,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let last: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (Date.now() < deadline);
  throw new Error(`Waited ${seconds} s for ${what}. Last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}
