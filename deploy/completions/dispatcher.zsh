#compdef dispatcher
# Completion of dispatcher for zsh. Now: source <(dispatcher completion zsh)
# For good: dispatcher completion zsh > "${fpath[1]}/_dispatcher"

_dispatcher() {
  local line
  local -a offers
  while IFS= read -r line; do
    local value=${line%%$'\t'*} description=
    [[ $line == *$'\t'* ]] && description=${line#*$'\t'}
    offers+=("${value//:/\\:}${description:+:$description}")
  done < <(dispatcher __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#offers )); then _describe dispatcher offers; else _files; fi
}

if [[ ${funcstack[1]} == _dispatcher ]]; then _dispatcher "$@"; else compdef _dispatcher dispatcher; fi
