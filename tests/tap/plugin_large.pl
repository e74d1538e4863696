# A million events in one transaction, ten thousand savepoints, two million
# rows of somebody else: the walsender's memory stays bounded, its connection
# alive, and nothing of what was rolled back is sent.
use strict;
use warnings FATAL => 'all';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use ChemChat;

my $node = start_server('large', 'wal_sender_timeout = 2s',
	'logical_decoding_work_mem = 4MB');
$node->safe_psql('postgres', q{
	SELECT pg_create_logical_replication_slot('s', 'chemchat');
	CREATE TABLE neighbour (id int, t text)});

# --- a million events
my ($out, $receiver) = stream($node, 's');
my $walsender = walsender_pid($node, 's');
my $before_kb = rss_anon_kb($walsender);
$node->safe_psql('postgres', q{
	DO $$ BEGIN
		PERFORM emit(n, repeat('x', 100)) FROM generate_series(0, 999999) AS n;
	END $$});
my ($frames, $events, $firsts, $lasts, $wrong, $largest, $peak_kb) = (0) x 7;
my %commits;
read_frames($out, sub {
	my ($frame, $list) = @_;
	$frames++;
	$firsts++ if $frame->{is_first};
	$lasts++ if $frame->{is_last};
	$commits{"$frame->{commit_lsn} $frame->{end_lsn} $frame->{commit_us}"}++;
	$largest = $frame->{bytes} if $frame->{bytes} > $largest;
	foreach my $event (@$list)
	{
		$wrong++ if $event->{ordinal} != $events || $event->{ev} != $events;
		$events++;
	}
	my $now_kb = rss_anon_kb($walsender);
	$peak_kb = $now_kb if $now_kb > $peak_kb;
	return $frame->{is_last};
});
is($events, 1_000_000, 'every event of the large transaction comes');
is($wrong, 0, 'in order, with ordinals from 0');
is("$firsts $lasts", '1 1', 'one frame says FIRST, one LAST');
is(scalar keys %commits, 1, 'all say the same commit');
cmp_ok($largest, '<=', 256 * 1024, 'no frame is larger than the target');
cmp_ok($frames, '<', 1100, 'frames are full');
note("walsender: $before_kb kB before, $peak_kb kB at most");
cmp_ok($peak_kb, '<', 32 * 1024, 'the walsender\'s memory is bounded');

# --- savepoints
$node->safe_psql('postgres', q{
	DO $$ BEGIN
		FOR n IN 1 .. 10000 LOOP
			BEGIN
				PERFORM emit(n);
				IF n % 3 = 0 THEN
					RAISE EXCEPTION 'back';
				END IF;
			EXCEPTION WHEN raise_exception THEN
				NULL;
			END;
		END LOOP;
	END $$;
	BEGIN; SELECT emit(123456); ROLLBACK;
	SELECT emit(20000)});
my @seen;
my $gaps = 0;
read_frames($out, sub {
	my ($frame, $list) = @_;
	foreach my $event (@$list)
	{
		last if $event->{ev} == 20000;
		$gaps++ if $event->{ordinal} != @seen;
		push @seen, $event->{ev};
	}
	return $list->[0]{ev} == 20000;
});
is_deeply(\@seen, [ grep { $_ % 3 } 1 .. 10000 ],
	'rolled-back savepoints and transactions leave nothing');
is($gaps, 0, 'nor a hole in the ordinals');

# --- somebody else's two million rows
$node->safe_psql('postgres', q{
	INSERT INTO neighbour SELECT n, 'row' FROM generate_series(1, 2000000) AS n;
	SELECT emit(30000)});
my $silent_s = 0;
my $reader = fork;
if ($reader == 0)
{
	read_frames($out, sub { return $_[1][0]{ev} == 30000 });
	# _exit: the server is not ours to stop
	POSIX::_exit(0);
}
while (waitpid($reader, POSIX::WNOHANG()) == 0)
{
	my $age = $node->safe_psql('postgres',
		q{SELECT coalesce(max(extract(epoch FROM clock_timestamp() - reply_time)), 0)
			FROM pg_stat_replication});
	$silent_s = $age if $age > $silent_s;
	sleep 0.1;
}
is($?, 0, 'the event behind them comes');
note("longest time without a reply processed: $silent_s s");
cmp_ok($silent_s, '<', 2, 'the server heard its receiver all the while');
is(walsender_pid($node, 's'), $walsender, 'over the same connection');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile),
	qr/terminating walsender process due to replication timeout/,
	'no time-out in the log');

kill 'INT', $receiver;
close $out;
$node->stop;
done_testing();
