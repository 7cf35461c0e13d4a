export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What the shell is to read; every key asks the program itself. */
export function completionScript(
  shell: Shell,
  program: string,
  { descriptions }: { readonly descriptions: boolean },
): string {
  const script = scripts[shell].replaceAll('PROGRAM', program)
  return descriptions ? script : script.replaceAll('__complete ', '__completeNoDesc ')
}

const bash = `# Completion of PROGRAM for bash: source <(PROGRAM completion bash)
_PROGRAM() {
  local line=\${COMP_LINE:0:COMP_POINT} answer directive current word
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}
  [[ $current == -*=* ]] && current=\${current#*=}
  COMPREPLY=()
  answer=$("$1" __completeNoDesc "\${words[@]:1}" 2>/dev/null) || return
  directive=\${answer##*:}
  ((directive & 1)) && return
  while read -r word; do
    [[ $word != :* && $word == "$current"* ]] && COMPREPLY+=("$word")
  done <<<"$answer"
  # What stands before the last colon is no part of the word that is replaced.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*:}"}"}")
  fi
  if ((!(directive & 4))); then compopt -o default; fi
}
complete -F _PROGRAM PROGRAM
`

const zsh = `#compdef PROGRAM
# Completion of PROGRAM for zsh: source <(PROGRAM completion zsh)
_PROGRAM() {
  local -a answer described
  local line name about directive
  answer=("\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive=\${answer[-1]#:}
  (( directive & 1 )) && return 1
  [[ \${words[CURRENT]} == -*=* ]] && compset -P '*='
  for line in "\${(@)answer[1,-2]}"; do
    name=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    if [[ $line == *$'\\t'* ]]; then
      described+=("\${name//:/\\\\:}:$about")
    else
      described+=("\${name//:/\\\\:}")
    fi
  done
  _describe PROGRAM described && return
  (( directive & 4 )) || _files
}
compdef _PROGRAM PROGRAM
`

const fish = `# Completion of PROGRAM for fish: PROGRAM completion fish | source
function __PROGRAM_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    set -l directive (string sub -s 2 -- $answer[-1])
    set -l before (string match -r -- '^-[^=]*=' "$current")
    test "$directive" = 1; and return
    for line in $answer[1..-2]
        echo "$before$line"
    end
    test "$directive" = 0; and __fish_complete_path "$current"
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish }
