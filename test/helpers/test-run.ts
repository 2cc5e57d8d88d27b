import { beginTestRun } from '../../scripts/test-run.mjs';

/** First of all that test files of a project share (`globalSetup` in vitest.config.ts): what they leave is taken away in the end. */
export default beginTestRun;
