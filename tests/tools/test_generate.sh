#!/bin/sh
# onnxrun generate: the tokens that running the model by hand gives, and what it says where a model is none for it.
# usage: test_generate.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
decoder=$fixtures/cached_decoder_ts/model.onnx
tokens() { sed -n 's/^tokens *//p' "$work/out"; }

# Token by token, with states, is what all tokens at once give, with empty states.
expect 0 "" "$tool" generate "$decoder" --prompt-ids 7,3,11 --steps 6 --greedy
made=$(tokens)
[ "$(echo $made | wc -w)" = 6 ] || fail "expected 6 tokens, found '$made'"
holds "^prompt   3 tokens in .* tokens/s"
holds "^steps    5 in .* tokens/s"
ids=7,3,11
for token in $made; do
  expect 0 "" "$tool" generate "$decoder" --prompt-ids $ids --steps 1 --greedy
  [ "$(tokens)" = "$token" ] || fail "after $ids: expected $token, found $(tokens)"
  lacks "^steps"
  ids=$ids,$token
done

# The other export is the same net with other weights: states are told by name, or found.
decoder=$fixtures/cached_decoder_dynamo/model.onnx
expect 0 "" "$tool" generate "$decoder" --prompt-ids 1,2 --steps 9 --greedy
made=$(tokens)
for state in '*0=past_*0,*1=past_*1' 'k*=past_k*,v*=past_v*' 'k0=past_k0,v0=past_v0,k1=past_k1,v1=past_v1'; do
  expect 0 "" "$tool" generate "$decoder" --prompt-ids 1,2 --steps 9 --greedy --state "$state"
  [ "$(tokens)" = "$made" ] || fail "--state $state: expected $made, found $(tokens)"
done

# A cache of int8: the prompt, which reads none, gives the same token.
expect 0 "" "$tool" generate "$decoder" --prompt-ids 1,2 --steps 9 --greedy --cache-int8
narrow=$(tokens)
[ "${narrow%% *}" = "${made%% *}" ] || fail "--cache-int8: expected $made to begin like $narrow"
[ "$(echo "$narrow" | wc -w)" = 9 ] || fail "--cache-int8: expected 9 tokens, found $narrow"

# Tokens that are drawn depend on the seed alone.
for seed in 1 2 1; do
  expect 0 "" "$tool" generate "$decoder" --prompt-ids 5 --steps 40 --seed $seed
  drawn_before=${drawn-}
  drawn=$(tokens)
  eval "drawn_$seed=\${drawn_$seed-\$drawn}"
  eval "[ \"\$drawn_$seed\" = \"\$drawn\" ]" || fail "--seed $seed: other tokens the second time"
  [ "$drawn" != "$drawn_before" ] || fail "--seed $seed: the tokens of another seed"
done
expect 0 "" "$tool" generate "$decoder" --prompt-ids 5 --steps 3 --json
holds '"tokens_per_second"'

# One line says what is wrong.
expect 2 "expected --prompt-ids" "$tool" generate "$decoder"
for ids in "" 1,,2 1,2, a 1.5 -3; do
  expect 2 "prompt-ids: expected" "$tool" generate "$decoder" --prompt-ids="$ids"
done
expect 2 "steps: expected a whole number from 1 to" "$tool" generate "$decoder" --prompt-ids 1 --steps 0
expect 2 "state: .*no input is named like that" "$tool" generate "$decoder" --prompt-ids 1 --state '*=past_*'
expect 2 "state: .*no output is named" "$tool" generate "$decoder" --prompt-ids 1 --state 'present.*=past.*'
expect 2 "state: .*expected OUTPUT=INPUT" "$tool" generate "$decoder" --prompt-ids 1 --state k0
expect 2 "expected one input of tokens" "$tool" generate "$fixtures/linear_2d_dynamo/model.onnx" --prompt-ids 1
expect 2 "goes on with an input" "$tool" generate "$fixtures/embedding_ts/model.onnx" --prompt-ids 1
expect 2 "ARGUMENT.*'past_v1' has not been set; --state" "$tool" generate "$decoder" --prompt-ids 1 --state 'k*=past_k*,v0=past_v0'
expect 2 "INDEX.*out of range" "$tool" generate "$decoder" --prompt-ids 99
finish
