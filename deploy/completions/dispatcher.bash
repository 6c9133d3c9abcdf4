# Completion of dispatcher for bash. Now: source <(dispatcher completion bash)
# For good: dispatcher completion bash > ~/.local/share/bash-completion/completions/dispatcher

_dispatcher() {
  local line value prefix=
  local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  # Bash takes a colon, as in team:acme/app#5, for a word of its own, and completes what is behind it.
  if [[ " ${words[*]} " == *' :'* ]]; then
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:COMP_POINT-1:1} == ' ' ]] && words+=('')
    words=("${words[@]:1}")
    value=${words[${#words[@]} - 1]}
    [[ $value == *:* ]] && prefix=${value%"${value##*:}"}
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    value=${line%%$'\t'*}
    COMPREPLY+=("${value#"$prefix"}")
  done < <(dispatcher __complete -- "${words[@]}" 2>/dev/null)
}
# Nothing to offer: file names.
complete -o default -F _dispatcher dispatcher
