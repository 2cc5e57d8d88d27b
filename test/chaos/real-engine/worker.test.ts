import { MOMENTS } from '../matrix/cells.js';
import { testAtOnce, useRealBed } from './run.js';

const bed = useRealBed();
for (const fault of ['worker SIGKILL', 'worker SIGTERM'] as const)
  for (const moment of MOMENTS) testAtOnce(bed, fault, moment);
