// Some stories need processes of another user: only root can start those, and only where that user can reach the files.
import { spawnSync } from 'node:child_process';

/** A user without any rights. */
export const NOBODY = 65_534;

const probe = 'require("node:fs").readFileSync(process.argv[1])';

/** Why no process of another user can run this checkout's programs; undefined if one can. */
export const noOtherUser = ((): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root, to start a process of another user';
  const who = { uid: NOBODY, gid: NOBODY };
  const done = spawnSync(process.execPath, ['-e', probe, import.meta.filename], who);
  return done.status === 0 ? undefined : 'this checkout lies in a folder that other users cannot enter';
})();
