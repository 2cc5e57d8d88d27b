import { MOMENTS } from '../matrix/cells.js';
import { useRealFixture } from './fixture.js';
import { testFault } from './run.js';

const fixture = useRealFixture();
// One after the other: all sectors of a fixture have one server.
for (const moment of MOMENTS) testFault(fixture, 'server SIGKILL', [moment]);
