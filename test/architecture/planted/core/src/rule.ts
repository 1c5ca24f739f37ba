export { start } from '../../server/src/server.ts';
