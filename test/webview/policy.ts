/** What registering the toolkit causes under the policy of the pages, and nothing else. */
const knownViolations = ['style-src-elem inline'];

/** What a page did against its policy. */
export async function unknownViolations(page: { violations(): Promise<readonly string[]> }): Promise<readonly string[]> {
  return (await page.violations()).filter((violation) => !knownViolations.includes(violation));
}
