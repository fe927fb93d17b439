# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for berth(1). Commands and options come from berth's own help, so they cannot fall behind it.

_berth_commands() { berth help "$@" 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }
_berth_options() { berth "$@" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*=?' | sort -u; }
_berth_apps() { berth list 2>/dev/null | sed '1d;s/ .*//'; }
_berth_instances() { berth status "$1" 2>/dev/null | sed -n '/^INSTANCE/,$p' | sed "1d;s/ .*//;s|^|$1/|"; }
_berth_processes() { berth limits "$1" 2>/dev/null | sed '1d;s/ .*//;/^-$/d;/^(app)$/d'; }
_berth_limits() { printf '%s=\n' Memory MemorySwap CPUs CPUWeight IOWeight PidsLimit; }
_berth_images() { berth images 2>/dev/null | sed '1d;s/ .*//'; }

_berth() {
        local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=

        if [ "$COMP_CWORD" = 1 ]; then
                words="$(_berth_commands) --help --version"
        elif [ "${cur#-}" != "$cur" ]; then
                if [ "$command" = image ]; then
                        words=$(_berth_options image "${COMP_WORDS[2]}")
                else
                        words=$(_berth_options "$command")
                fi
        elif [ "$command" = image ] && [ "$COMP_CWORD" = 2 ]; then
                words=$(_berth_commands image)
        else
                case $command in
                status | logs | exec | auto-update)
                        case $cur in
                        */*) words=$(_berth_instances "${cur%%/*}") ;;
                        *) words=$(_berth_apps) ;;
                        esac
                        ;;
                scale | limits | maintenance)
                        if [ "$COMP_CWORD" = 2 ]; then
                                words=$(_berth_apps)
                        elif [ "$command" = scale ]; then
                                words=$(_berth_processes "${COMP_WORDS[2]}" | sed 's/$/=/')
                        elif [ "$command" = limits ]; then
                                words="$(_berth_limits) $([ "$COMP_CWORD" != 3 ] || _berth_processes "${COMP_WORDS[2]}")"
                        else
                                words="on off"
                        fi
                        ;;
                rollback)
                        if [ "$COMP_CWORD" = 2 ]; then
                                words=$(_berth_apps)
                        elif [ "$COMP_CWORD" = 3 ]; then
                                words="$(berth releases "${COMP_WORDS[2]}" 2>/dev/null | sed '1d;s/ .*//') off"
                        fi
                        ;;
                cat | start | stop | restart | reload | releases | top) words=$(_berth_apps) ;;
                image | push | rmi | save | tag) words=$(_berth_images) ;;
                network) [ "$COMP_CWORD" != 2 ] || words="list create remove" ;;
                help) words=$(_berth_commands) ;;
                verify | load | import | generate | seccomp) compopt -o default ;;
                esac
        fi
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        [[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace
}
complete -F _berth berth
