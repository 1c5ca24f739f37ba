// Completion scripts from the command tree: each path of words with the words and flags that may follow it.
import type { Flag, Noun, Verb } from '../verb.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Follow {
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly help: string }[];
}

export function completionScript(shell: Shell, nouns: readonly Noun[], verbs: readonly Verb[]): string {
  const follows = followers('', { name: '', summary: '', verbs, nouns });
  switch (shell) {
    case 'bash':
      return bash(follows);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(follows)}`;
    case 'fish':
      return fish(follows);
  }
}

function followers(path: string, noun: Noun): Follow[] {
  const below = noun.nouns ?? [];
  const words = [...noun.verbs, ...below].map(({ name, summary }) => ({ word: name, help: summary }));
  const join = (name: string): string => (path === '' ? name : `${path} ${name}`);
  return [
    { path, words },
    ...noun.verbs.map((verb) => ({ path: join(verb.name), words: verb.flags.map(flagWord) })),
    ...below.flatMap((inner) => followers(join(inner.name), inner)),
  ];
}

function flagWord({ flags, help }: Flag): { word: string; help: string } {
  return { word: flags.match(/--[a-z0-9-]+/)?.[0] ?? flags, help };
}

function bash(follows: readonly Follow[]): string {
  const cases = follows.map(
    ({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  );
  return `_steeple() {
  local path='' word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ "$word" == -* ]] && break
    path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  if [[ -z "$words" ]]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); return; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _steeple steeple`;
}

function fish(follows: readonly Follow[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = follows.flatMap(({ path, words }) =>
    words.map(({ word, help }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
      return `complete -c steeple -f -n "__steeple_path_is ${quote(path)}" ${what} -d ${quote(help)}`;
    }),
  );
  return `function __steeple_path_is
  set -l words (commandline -opc)
  set -e words[1]
  set -l path
  for word in $words
    string match -q -- '-*' $word; and break
    set -a path $word
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}`;
}
