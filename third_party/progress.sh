#!/bin/sh
# Copies a build's output to the file $1 and shows how far it is: Ninja's "[12/900]" or Make's "[ 12%]", every tenth.
log=$1
shown=0
while IFS= read -r line; do
  printf '%s\n' "$line" >>"$log"
  case $line in
    \[*/*\]*)
      counts=${line#\[}
      counts=${counts%%\]*}
      percent=$((${counts%/*} * 100 / ${counts#*/}))
      ;;
    \[*%\]*)
      percent=${line#\[}
      percent=$((${percent%%\%*}))
      ;;
    *) continue ;;
  esac
  if [ "$percent" -ge $((shown + 10)) ]; then
    shown=$((percent / 10 * 10))
    printf -- '--   XNNPACK %d%%\n' "$shown"
  fi
done
