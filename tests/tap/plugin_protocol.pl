# The plugin over the replication protocol: bad options are refused at
# START_REPLICATION by name, frames split and say so, shards partition the
# events under the same ordinals, and DDL meanwhile changes nothing.
use strict;
use warnings FATAL => 'all';
use Test::More;
use ChemChat;

my $node = start_server('protocol');
$node->safe_psql('postgres', q{
	SELECT pg_create_logical_replication_slot(s, 'chemchat')
	  FROM unnest(ARRAY['s', 'shard0', 'shard1', 'shard2', 'noreplay']) AS s;
	CREATE TABLE t (n int PRIMARY KEY, x text)});

# --- options
foreach my $case (
	[ '', qr/option "proto" of output plugin chemchat is missing/ ],
	[ "(proto '2')", qr/option "proto" .* is "2", but this library speaks "1"/ ],
	[ "(proto '01x')", qr/option "proto" .* is "01x"/ ],
	[ "(proto)", qr/option "proto" .* needs a value/ ],
	[ "(proto '1', proto '1')", qr/option "proto" .* is given twice/ ],
	[ "(proto '1', speed 'fast')", qr/unknown option "speed"/ ],
	[ "(proto '1', shards '0')", qr/option "shards" .* cannot be "0"/ ],
	[ "(proto '1', shards '99999999999999999999')", qr/option "shards" .* cannot be/ ],
	[ "(proto '1', shard '3', shards '3')", qr/option "shard" .* must be below/ ],
	[ "(proto '1', replays 'perhaps')", qr/option "replays" .* cannot be "perhaps"/ ],
	[ "(proto '1', format '')", qr/option "format" .* cannot be ""/ ])
{
	my ($options, $wanted) = @$case;
	my $err;
	my $code = $node->psql('postgres',
		"START_REPLICATION SLOT s LOGICAL 0/0 $options",
		replication => 'database', stderr => \$err,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	ok($code != 0 && $err =~ $wanted && $err =~ /ERROR:  22023/,
		"refused: $options") or diag($err);
}

# --- DDL in and around the transactions, then one with events of all sizes
my @ddl = (
	'ALTER TABLE t ADD COLUMN c%d int DEFAULT 5',
	'ALTER TABLE t ALTER COLUMN x TYPE varchar(%d00)',
	'CREATE INDEX ON t (x) WHERE n > %d',
	'TRUNCATE t /* %d */',
	'CREATE TABLE extra%d AS SELECT n FROM t',
	'DROP TABLE IF EXISTS extra%d');
my $n = 0;
foreach my $round (1 .. 5)
{
	my $sql = 'BEGIN;';
	foreach my $ddl (@ddl)
	{
		$n++;
		$sql .= sprintf($ddl, $round) . '; '
		  . "INSERT INTO t (n, x) VALUES ($n, 'x'); SELECT emit($n);";
	}
	$node->safe_psql('postgres', "$sql COMMIT; VACUUM FULL t; SELECT emit(" . ++$n . ')');
}
$node->safe_psql('postgres', qq{
	DO \$\$ BEGIN
		PERFORM emit($n + i, repeat('x', (ARRAY[10, 1000, 100000, 300000])[1 + i % 4]),
					 i % 5 = 0)
		   FROM generate_series(1, 40) AS i;
	END \$\$;
	SELECT emit(1000)});

# Reads up to the end of the transaction with the event `to`.
sub read_all
{
	my ($slot, $to, %options) = @_;
	my ($out, $pid) = stream($node, $slot, %options);
	my @all;
	my @frames;
	read_frames($out, sub {
		my ($frame, $events) = @_;
		push @frames, $frame;
		push @all, map { { %$_, lsn => $frame->{commit_lsn} } } @$events;
		return $events->[-1]{ev} == $to && $frame->{is_last};
	});
	kill 'INT', $pid;
	close $out;
	return (\@all, \@frames);
}

my ($all, $frames) = read_all('s', 1000);
is_deeply([ map { $_->{ev} } @$all ], [ 1 .. $n + 40, 1000 ],
	'every event comes, in order, whatever DDL there was');
my ($open, $commit, $bad, $split) = (0, 0, 0, 0);
foreach my $frame (@$frames)
{
	$bad++ if $frame->{is_first} == $open || ($open && $frame->{commit_lsn} != $commit);
	$bad++ if $frame->{bytes} > 256 * 1024 && $frame->{count} > 1;
	$bad++ if $frame->{end_lsn} <= $frame->{commit_lsn};
	$split++ if $open;
	($open, $commit) = (!$frame->{is_last}, $frame->{commit_lsn});
}
is($bad, 0, 'frames say where a transaction begins and ends');
cmp_ok($split, '>', 5, 'a large one is split');
is(length((grep { $_->{ev} == $n + 3 } @$all)[0]{json}) > 300000, 1,
	'an event larger than the target is a frame of its own');

# --- shards
my %seen;
my $identity = sub { "$_[0]{lsn} $_[0]{ordinal} $_[0]{ev}" };
foreach my $shard (0 .. 2)
{
	my $last = $node->safe_psql('postgres', qq{
		SELECT max((data::json->>'ev')::bigint)
		  FROM pg_logical_slot_peek_changes('shard$shard', NULL, NULL,
			'proto', '1', 'format', 'json', 'shard', '$shard', 'shards', '3')});
	my ($part) = read_all("shard$shard", $last, shard => $shard, shards => 3);
	$seen{ $identity->($_) }++ foreach @$part;
	cmp_ok(scalar @$part, '>', 5, "shard $shard of 3 has its part");
}
is_deeply([ sort keys %seen ], [ sort map { $identity->($_) } @$all ],
	'together the shards are everything, under the same ordinals');
is(scalar(grep { $_ > 1 } values %seen), 0, 'and nothing twice');

# --- without replays
my ($new) = read_all('noreplay', 1000, replays => 'off');
is_deeply([ map { $identity->($_) } @$new ],
	[ map { $identity->($_) } grep { !$_->{is_replay} } @$all ],
	'replays=off leaves out the replays and nothing else');

$node->stop;
done_testing();
