import { MOMENTS } from '../matrix/cells.js';
import { testAtOnce, useRealBed } from './run.js';

const bed = useRealBed();
for (const fault of ['engine SIGKILL', 'engine SIGSTOP'] as const)
  for (const moment of MOMENTS) testAtOnce(bed, fault, moment);
