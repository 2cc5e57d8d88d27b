/**
 * `node --import <this file> program.mjs`: lets a program that a test spawns import from src/ without a build, on every
 * supported Node (20 cannot strip types by itself).
 */
import { register } from 'node:module';

register('./ts-hooks.mjs', import.meta.url);
