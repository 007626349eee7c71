import { writeFileSync } from 'node:fs';

/**
 * A vitest reporter that writes what scripts/test.mjs adds up: passed, failed, and each skipped test with the reason it gave
 * (`context.skip('why')`). A file that could not be loaded counts as one failed test.
 */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const result = test.result();
        if (result.state === 'passed') tally.passed++;
        else if (result.state === 'failed') tally.failed++;
        else tally.skipped.push({ name: `${module.relativeModuleId}: ${test.fullName}`, reason: result.note ?? 'no reason given' });
      }
      const ownErrors = module.errors().length > 0 || [...module.children.allSuites()].some((suite) => suite.errors().length > 0);
      if (ownErrors) tally.failed++;
    }
    writeFileSync(process.env.MOE_LAB_TALLY, JSON.stringify(tally));
  }
}
