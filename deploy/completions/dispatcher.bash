# Completion of dispatcher for bash. Now: source <(dispatcher completion bash)
# For good: dispatcher completion bash > ~/.local/share/bash-completion/completions/dispatcher

_dispatcher() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("${line%%$'\t'*}")
  done < <(dispatcher __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
# Nothing to offer: file names.
complete -o default -F _dispatcher dispatcher
