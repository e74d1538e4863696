# shellcheck shell=bash disable=SC2154 # one script in several files
# heads.sh - what a client asks first: how far is each conversation of mine?

bench_heads()
{
	local row
	settle
	table 'chemchat.heads(), 200 calls in one connection' 'conversations of the actor' \
		'ms, p50' 'ms, p99'
	row=$(sql "SELECT * FROM bench.time_heads(200)")
	row "$(cut -d'|' -f1 <<<"$row")" "$(cut -d'|' -f2 <<<"$row")" "$(cut -d'|' -f3 <<<"$row")"
}
