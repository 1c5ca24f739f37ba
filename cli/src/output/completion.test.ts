import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { nouns, verbs } from '../tree/index.ts';
import { completionScript } from './completion.ts';

const complete = (line: string): string[] => {
  const words = line.split(' ');
  const script = `${completionScript('bash', nouns, verbs)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _steeple; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const done = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout.trim().split('\n');
};

describe('bash completions', () => {
  it('offer the nouns', () => {
    expect(complete('steeple e')).toEqual(['entry']);
  });

  it('offer the verbs of a noun', () => {
    expect(complete('steeple entry c')).toEqual(['create', 'count']);
  });

  it('offer the verbs of a noun within a noun', () => {
    expect(complete('steeple api fetch ')).toEqual(['x509', 'jwt', 'wit']);
  });

  it('offer the flags of a verb', () => {
    expect(complete('steeple entry create --sp')).toEqual(['--spiffe-id']);
  });
});

it('zsh and fish scripts name every verb', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(shell, nouns, verbs);
    for (const noun of nouns) for (const verb of noun.verbs) expect(script).toContain(verb.name);
  }
});
