/**
 * Completion for zsh, for its completion system (compinit): by `source <(…)` or as a file `_dejavm` in fpath. Relies on
 * the description alone.
 */
import { EXTENSION, TRACE_FOLDER_RULE } from '../../../replay/index.ts';
import type { CommandLine, CompletedOption, CompletedValue, CompletedVerb } from './description.ts';
import { quoted } from './shell-text.ts';

/** The script. */
export function zshCompletion({ verbs, options }: CommandLine): string {
  return `#compdef dejavm
# Completion of dejavm's command line in zsh; written by: dejavm completion zsh

_dejavm_trace_names() {
  local base="$HOME/${TRACE_FOLDER_RULE.otherwise.join('/')}"
  [[ $${TRACE_FOLDER_RULE.variable} == /* ]] && base=$${TRACE_FOLDER_RULE.variable}
  [[ $base == /* ]] && print -rl -- "$base/${TRACE_FOLDER_RULE.name}"/*${EXTENSION}(N:t:r)
}

# Offers words; of: f files, t traces, l words in a list, =KEY files behind a key.
_dejavm_value() {
  local of=$1 result=1
  shift
  local -a words=("$@") whole open
  [[ $of == *l* ]] && compset -P '*,'
  if [[ $of == *=* ]] && compset -P "\${of#*=}"; then
    _files
    return
  fi
  [[ $of == *t* ]] && words+=("\${(@f)$(_dejavm_trace_names)}")
  words=(\${words:#})
  open=(\${(M)words:#*[=,@]})
  whole=(\${words:#*[=,@]})
  (( $#whole )) && compadd -- $whole && result=0
  (( $#open )) && compadd -S '' -- $open && result=0
  [[ $of == *f* ]] && _files && result=0
  return result
}

_dejavm() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${options.map((option) => optionSpec(option)).join(' ')} '1: :->verb' '*:: :->rest' && return
  case $state in
    verb)
      local -a verbs=(
${verbs.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`).join('\n')}
      )
      _describe -t verbs verb verbs ;;
    rest)
      case $words[1] in
${verbs.map(verbCase).join('\n')}
      esac ;;
  esac
}

# As a file in fpath it is called at once; sourced, it makes itself known.
if [[ $funcstack[1] == _dejavm ]]; then _dejavm "$@"; else compdef _dejavm dejavm; fi
`;
}

function verbCase({ name, options, places }: CompletedVerb): string {
  const specs = [
    ...options.map((option) => optionSpec(option)),
    ...places.map((value, n) => quoted(`${n + 1}:${value.name}:${action(value)}`)),
  ];
  return `        ${name})\n          _arguments \\\n${specs.map((spec) => `            ${spec}`).join(' \\\n')} ;;`;
}

function optionSpec({ short, long, oneDash, summary, value, many }: CompletedOption): string {
  const all = [...short, long, ...(oneDash === undefined ? [] : [oneDash])];
  const text = `[${summary.replace(/[[\]\\]/g, '\\$&')}]`;
  const behind = value ? `:${value.name.replaceAll(':', '\\:')}:${action(value)}` : '';
  const once = many ? '*' : all.length > 1 ? `(${all.join(' ')})` : '';
  return all
    .map((spelling) => {
      const attached = value ? (short.includes(spelling) ? '+' : '=') : '';
      return quoted(once + spelling + attached + text + behind);
    })
    .join(' ');
}

/** With a space before it, an action gets no options of its caller. */
function action({ words, files, traces, list, filesAfter }: CompletedValue): string {
  if (words.length === 0 && !files && !traces) return ' ';
  const of = `-${files ? 'f' : ''}${traces ? 't' : ''}${list ? 'l' : ''}${filesAfter === undefined ? '' : `=${filesAfter}`}`;
  return ` _dejavm_value ${of} ${words.join(' ')}`.trimEnd();
}
