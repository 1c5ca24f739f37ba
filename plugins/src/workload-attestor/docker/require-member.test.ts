import { describe, expect, it } from 'vitest';
import { requireMember } from './require-member.ts';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'f'.repeat(64);

describe('a process is in a container', () => {
  it.each([
    ['with its first process', `0::/docker/${ID}`, `0::/docker/${ID}`],
    ['below it', `0::/docker/${ID}/a/b`, `0::/docker/${ID}`],
    ['beside it, below the same group', `0::/docker/${ID}/a.service`, `0::/docker/${ID}/init.scope`],
    [
      'of podman and crun',
      `0::/machine.slice/libpod-${ID}.scope/container`,
      `0::/machine.slice/libpod-${ID}.scope/container`,
    ],
    ['as seen from a private namespace', `0::/../docker-${ID}.scope`, `0::/../docker-${ID}.scope`],
    ['where one hierarchy is not used', `1:cpu:/docker/${ID}\n0::/`, `1:cpu:/docker/${ID}\n0::/`],
    ["where one hierarchy is the user's", `1:cpu:/docker/${ID}\n0::/x`, `1:cpu:/docker/${ID}\n0::/y`],
  ])('%s', (_, process, first) => {
    expect(() => requireMember(ID, process, first)).not.toThrow();
  });

  it.each([
    ['whose groups only have the same name', `0::/user.slice/docker-${ID}.scope`, `0::/docker/${ID}`],
    ['beside it', `0::/docker/${OTHER}`, `0::/docker/${ID}`],
    ['above it', '0::/docker', `0::/docker/${ID}`],
    ['with a longer name', `0::/docker/${ID}0`, `0::/docker/${ID}`],
    ['in a group that another container has named so', `0::/docker/${OTHER}/docker/${ID}`, `0::/docker/${ID}`],
    ['in one hierarchy only', `1:cpu:/\n0::/docker/${ID}`, `1:cpu:/docker/${ID}\n0::/docker/${ID}`],
    ['without that hierarchy', `0::/docker/${ID}`, `1:cpu:/docker/${ID}\n0::/docker/${ID}`],
    ['when its first process is somewhere else', `0::/docker/${ID}`, '0::/'],
    ['when its first process is in another', `0::/docker/${ID}`, `0::/docker/${OTHER}`],
  ])('but not %s', (_, process, first) => {
    expect(() => requireMember(ID, process, first)).toThrow(expect.objectContaining({ code: 'failed-precondition' }));
  });
});
