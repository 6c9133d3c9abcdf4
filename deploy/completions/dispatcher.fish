# Completion of dispatcher for fish. Now: dispatcher completion fish | source
# For good: dispatcher completion fish > ~/.config/fish/completions/dispatcher.fish

function __dispatcher_has_offers
    set -l words (commandline -opc) (commandline -ct)
    set -g __dispatcher_offers (dispatcher __complete -- $words[2..-1] 2>/dev/null)
    test (count $__dispatcher_offers) -gt 0
end
# Nothing to offer: file names.
complete -c dispatcher -n __dispatcher_has_offers -f -a '$__dispatcher_offers'
