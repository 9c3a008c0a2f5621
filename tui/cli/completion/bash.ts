/**
 * Completion for bash from 3.2 on, without other packages. The script holds everything but names of files and traces,
 * so that nothing is started when a key is pressed. Relies on the description alone.
 */
import { EXTENSION, TRACE_FOLDER_RULE } from '../../../replay/index.ts';
import { type CommandLine, type CompletedValue, type CompletedVerb, spellingsIn } from './description.ts';

/** The script. */
export function bashCompletion({ verbs, options }: CommandLine): string {
  const words = (list: readonly string[]) => `words='${list.join(' ')}'`;
  const optionsOf = verbs.map((verb) => `    ${verb.name}) ${words(verb.options.flatMap(spellingsIn))} ;;`);
  return `# Completion of dejavm's command line in bash; written by: dejavm completion bash

# What may stand behind an option of a verb, or at a place of its arguments (verb:1). Fails where nothing may.
_dejavm_value() {
  words='' files='' traces='' list='' after=''
  case $1 in
${verbs.flatMap(values).join('\n')}
    *) return 1 ;;
  esac
}

_dejavm_options() {
  case $1 in
    '') ${words(options.flatMap(spellingsIn))} ;;
${optionsOf.join('\n')}
  esac
}

_dejavm_trace_names() {
  local base="$HOME/${TRACE_FOLDER_RULE.otherwise.join('/')}" path
  case $${TRACE_FOLDER_RULE.variable} in /*) base=$${TRACE_FOLDER_RULE.variable} ;; esac
  case $base in /*) ;; *) return ;; esac
  for path in "$base/${TRACE_FOLDER_RULE.name}"/*${EXTENSION}; do
    [[ -e $path ]] || continue
    path=\${path##*/}
    printf '%s\\n' "\${path%${EXTENSION}}"
  done
}

# Adds each of the lines that begins with what has been typed.
_dejavm_offer() {
  local line
  while IFS= read -r line; do
    [[ -n $line && $line == "$2"* ]] && COMPREPLY+=("$3$line")
  done <<<"$1"
}

_dejavm() {
  local line=\${COMP_LINE:0:COMP_POINT} typed=() piece gap i
  # Bash parts words at = and : too; what has no space between belongs together.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=\${COMP_WORDS[i]}
    gap=\${line%%[! ]*}
    line=\${line#"$gap"}
    line=\${line#"$piece"}
    if [[ -n $gap || $i == 0 || ( -z $piece && $i == "$COMP_CWORD" && \${COMP_LINE:COMP_POINT-1:1} == ' ' ) ]]; then
      typed+=("$piece")
    else
      typed[\${#typed[@]}-1]+=$piece
    fi
  done

  local words files traces list after verb='' option='' place=1 current=\${typed[\${#typed[@]}-1]} literal=''
  for ((i = 1; i < \${#typed[@]} - 1; i++)); do
    if [[ -n $option ]]; then option=''
    elif [[ -z $literal && \${typed[i]} == -- ]]; then literal=1
    elif [[ -z $literal && \${typed[i]} == -* ]]; then
      _dejavm_value "$verb:\${typed[i]}" && option=\${typed[i]}
    elif [[ -z $verb ]]; then verb=\${typed[i]}
    else place=$((place + 1)); fi
  done

  local before='' text=$current
  if [[ -n $option ]]; then _dejavm_value "$verb:$option"
  elif [[ -z $literal && $current == -*=* ]]; then
    before=\${current%%=*}= text=\${current#*=}
    _dejavm_value "$verb:\${before%=}" || return 0
  elif [[ -z $literal && $current == -* ]]; then
    words='' files='' traces='' list='' after=''
    _dejavm_options "$verb"
  elif [[ -z $verb ]]; then
    words='${verbs.map(({ name }) => name).join(' ')}' files='' traces='' list='' after=''
  else _dejavm_value "$verb:$place" || return 0; fi

  if [[ -n $list && $text == *,* ]]; then before+=\${text%,*}, text=\${text##*,}; fi
  if [[ -n $after && $text == "$after"* ]]; then files=1 words='' before+=$after text=\${text#"$after"}; fi
  COMPREPLY=()
  _dejavm_offer "\${words// /$'\\n'}" "$text" "$before"
  [[ -n $traces ]] && _dejavm_offer "$(_dejavm_trace_names)" "$text" "$before"
  if [[ -n $files ]]; then
    # Alone, names of files are left to readline, which knows about quotes.
    if [[ \${#COMPREPLY[@]} == 0 ]]; then compopt -o default 2>/dev/null
    else
      compopt -o filenames 2>/dev/null
      _dejavm_offer "$(compgen -f -- "$text")" "$text" "$before"
    fi
  fi
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[=,@] ]] && compopt -o nospace 2>/dev/null

  # Bash replaces the last piece only, with the @ before it.
  piece=\${COMP_WORDS[COMP_CWORD]}
  case $piece in [=:@]*) piece='' ;; esac
  before=\${current%"$piece"}
  before=\${before%@}
  for ((i = 0; i < \${#COMPREPLY[@]}; i++)); do COMPREPLY[i]=\${COMPREPLY[i]#"$before"}; done
  return 0
}

complete -F _dejavm dejavm
`;
}

function values({ name, options, places }: CompletedVerb): string[] {
  const ofOptions = options.flatMap((option) =>
    option.value
      ? row(
          spellingsIn(option)
            .map((text) => `${name}:${text}`)
            .join(' | '),
          option.value,
        )
      : [],
  );
  return [...ofOptions, ...places.flatMap((value, n) => row(`${name}:${n + 1}`, value))];
}

const row = (key: string, { words, files, traces, list, filesAfter }: CompletedValue): string => {
  const settings = [
    ...(words.length > 0 ? [`words='${words.join(' ')}'`] : []),
    ...(files ? ['files=1'] : []),
    ...(traces ? ['traces=1'] : []),
    ...(list ? ['list=1'] : []),
    ...(filesAfter === undefined ? [] : [`after='${filesAfter}'`]),
  ];
  return `    ${key}) ${settings.join(' ') || ':'} ;;`;
};
