import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AccountNames, parseAccounts } from './account-names.ts';
import { parseOwner } from './process-owner.ts';

const STATUS = 'Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nVmPeak:\t1 kB\n';

describe('process status', () => {
  it('gives effective ids and all groups', () => {
    expect(parseOwner(STATUS)).toEqual({ uid: 2, gid: 6, supplementaryGids: [9, 10] });
    expect(parseOwner(STATUS.replace('9 10 ', '')).supplementaryGids).toEqual([]);
  });

  it.each([
    '',
    STATUS.replace('Uid', 'uid'),
    STATUS.replace('\t1\t2\t3\t4', '\t1'),
    STATUS.replace('\t2\t', '\t-2\t'),
    STATUS.replace('\t2\t', '\t0x2\t'),
    STATUS.replace('\t2\t', '\t\u0662\t'),
    STATUS.replace('Groups:\t9 10 \n', ''),
    STATUS.replace('9 10', '9 x'),
    `${STATUS}Uid:\t0\t0\t0\t0\n`,
  ])('is refused as %j', (status) => {
    expect(() => parseOwner(status)).toThrow('no proper line');
  });
});

describe('account files', () => {
  it('give the first name of a number and skip what is no account', () => {
    const text = [
      'root:x:0:0:root:/root:/bin/sh',
      'toor:x:0:0',
      '# comment:x:1:',
      '+nis:x:2:',
      '-nis:x:3:',
      ':x:4:',
      'none',
      'negative:x:-5:',
      'text:x:abc:',
      'huge:x:99999999999:',
      'ü ser:x:6:',
      'last:x:7',
      '',
    ].join('\n');
    expect([...parseAccounts(text)]).toEqual([
      [0, 'root'],
      [6, 'ü ser'],
      [7, 'last'],
    ]);
  });

  it('are read anew after some seconds', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'steeple-accounts-'));
    const file = join(directory, 'passwd');
    let now = 100;
    const names = new AccountNames(file, () => now);
    expect(await names.nameOf(1)).toBeUndefined();
    writeFileSync(file, 'a:x:1:');
    expect(await names.nameOf(1)).toBeUndefined();
    now += 5;
    expect(await names.nameOf(1)).toBe('a');
    writeFileSync(file, 'b:x:1:');
    now += 4.9;
    expect(await names.nameOf(1)).toBe('a');
    now += 0.1;
    expect(await names.nameOf(1)).toBe('b');
    rmSync(directory, { recursive: true });
  });
});
