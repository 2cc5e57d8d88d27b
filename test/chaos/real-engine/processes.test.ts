import { FAULTS, MOMENTS } from '../matrix/cells.js';
import { useRealFixture } from './fixture.js';
import { testFault } from './run.js';

const fixture = useRealFixture();
for (const fault of FAULTS) if (fault !== 'server SIGKILL') testFault(fixture, fault, MOMENTS);
