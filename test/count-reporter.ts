import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Closes a test run with a line for each platform that could not be tested, and one with the
 * counts, `N passed, N failed`. What breaks outside of a test counts as failed too: a test file
 * that does not load, an error that nothing caught.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const test of tests) {
      const result = test.result();
      if (result.state === 'skipped' && result.note) {
        console.log(`Not tested here: ${test.fullName}: ${result.note}.`);
      }
    }
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const broken = modules.flatMap((module) => module.errors()).length + unhandled.length;
    const skipped = count('skipped');
    console.log(
      `${count('passed')} passed, ${count('failed') + broken} failed${skipped ? `, ${skipped} skipped` : ''}`,
    );
  }
}
