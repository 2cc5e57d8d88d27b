export { sealSector } from './seal-sector.js';
