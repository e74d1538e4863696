# Who gets in with handle and password, for how long, and how she is put out:
# chemchatctl makes the people, the gateway's doors take them.
use strict;
use warnings FATAL => 'all';
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use PostgreSQL::Test::Utils;
use ChemChat;
use ChemChatAuth;
use ChemChatLive;

my $node = start_server('sign_in', 'max_connections = 50');
my $pg = $node->connstr('postgres') . ' user=' . scalar getpwuid($<);
my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $ctl = "$ENV{CHEMCHAT_BIN}/chemchatctl";
$ENV{CHEMCHAT_PG} = $pg;

sub ctl
{
	my @words = @_;
	my ($out, $err) = run_command([ $ctl, @words ]);
	return wantarray ? ($out, $err, $? >> 8) : $out;
}

sub start_gateway
{
	my ($name, %more) = @_;
	my $port_file = "$tmp/$name.port";
	unlink $port_file;
	my $gateway = start_daemon('chemchat-gateway', $name, pg => $pg,
		jwt_secret_file => "$tmp/key", listen_port => 0,
		port_file => $port_file, local_accounts => 'on', %more);
	wait_until('the gateway listens', sub { -s $port_file }, 20);
	chomp($gateway->{port} = slurp_file($port_file));
	wait_until('the gateway is ready', sub { ready_reason($gateway) eq '' }, 20);
	return $gateway;
}

sub canonical { return JSON::PP->new->canonical->encode(shift); }

sub sign_in
{
	my ($port, $handle, $password) = @_;
	return rest($port, 'POST', '/v1/sessions',
		body => { handle => $handle, password => $password });
}

ctl('secret', '--out', "$tmp/key");
write_text("$tmp/alice.password", "correct horse\n");
write_text("$tmp/bob.password", "battery staple\n");
write_text("$tmp/short.password", "short\n");

# --- the first administrator, and what is no user

my ($alice) = ctl('user', 'add', 'alice', '--name', 'Alice', '--admin',
	'--password-file', "$tmp/alice.password");
like $alice, qr/^[0-9a-f-]{36}$/, 'user add says the id';
my ($bob) = ctl('user', 'add', 'bob', '--password-file', "$tmp/bob.password");
my ($out, $err, $code) =
  ctl('user', 'add', 'bob', '--password-file', "$tmp/alice.password");
is $code, 1, 'a handle is added once';
like $err, qr/the handle is taken/, 'and it says so';
($out, $err, $code) =
  ctl('user', 'add', 'carol', '--password-file', "$tmp/short.password");
like $err, qr/a password has 8 to 1024 bytes/, 'a short password is refused';
is $node->safe_psql('postgres',
	"SELECT count(*) FROM chemchat.accounts() WHERE handle = 'carol'"), 0,
  'and nobody is made';
chmod 0644, "$tmp/short.password";
($out, $err) = ctl('user', 'passwd', 'bob', '--password-file', "$tmp/short.password");
like $err, qr/open to everyone/, 'a password that others may read is refused';
like ctl('user', 'list'), qr/\Q$alice\E +alice +person admin password +Alice/,
  'user list shows what lets somebody in';
unlike $node->safe_psql('postgres', 'TABLE chemchat.account'), qr/horse/,
  'the password itself is nowhere';

# --- in

my $one = start_gateway('one');
my $two = start_gateway('two');
my ($status, $answer) = sign_in($one->{port}, 'alice', 'correct horse');
is $status, 201, 'the right password lets in';
is $answer->{userId}, $alice, 'as her';
like $answer->{expiresAt}, qr/^\d{4}-\d\d-\d\dT/, 'until then';
my $token = $answer->{token};
is status_of($one->{port}, $token), 200, 'the token is good here';
is status_of($two->{port}, $token), 200, 'and at another gateway';

($status, $answer) = sign_in($one->{port}, 'alice', 'wrong horse');
is $status, 401, 'a wrong password does not';
my $wrong = canonical($answer);
is $answer->{code}, 'invalid_credentials', 'and is called so';
($status, $answer) = sign_in($one->{port}, 'nobody', 'wrong horse');
is canonical($answer), $wrong,
  'nor does an unknown handle, with the same words';
($status, $answer) = sign_in($one->{port}, 'alice', 'x' x 1025);
is $status, 413, 'a password of 1025 bytes is too large'
  or diag explain $answer;
($status, $answer) = rest($one->{port}, 'POST', '/v1/sessions',
	body => { handle => 'alice' });
is "$status $answer->{field}", '400 password', 'what is missing is named';

# The same work for who is not there: medians of a few, and far apart only
# when no hash was computed at all (it takes tens of milliseconds).
sub median_ms
{
	my ($handle) = @_;
	my @took;
	for (1 .. 5)
	{
		my $began = time;
		sign_in($two->{port}, "$handle", 'not the password');
		push @took, 1000 * (time - $began);
	}
	return (sort { $a <=> $b } @took)[2];
}
my ($known_ms, $unknown_ms) = (median_ms('bob'), median_ms('nobody'));
note sprintf 'wrong password %.1f ms, unknown handle %.1f ms', $known_ms,
  $unknown_ms;
ok $unknown_ms > $known_ms / 2, 'an unknown handle takes as long';

# --- not too often

my @codes;
for (1 .. 12)
{
	($status, $answer, my $headers) = sign_in($one->{port}, 'bob', 'guess ' . $_);
	push @codes, $answer->{code};
	if ($answer->{code} eq 'rate_limited')
	{
		ok $answer->{retryAfterMs} > 0 && $headers->{'retry-after'} >= 1,
		  'whoever guesses is told to wait';
		last;
	}
}
is $codes[-1], 'rate_limited', 'guessing is slowed';
ok @codes > 4, 'after a few free tries';
($status, $answer) = sign_in($one->{port}, 'alice', 'correct horse');
is $status, 201, 'others are not slowed by that';

# --- a socket, a fresh token, out

my $ws = ws_open($one->{port}, $token);
is $ws->{welcome}{userId}, $alice, 'a socket takes the token';
($status, $answer) = rest($one->{port}, 'POST', '/v1/sessions/refresh',
	token => $token);
is $status, 200, 'a token is exchanged for a fresh one';
my $fresh = $answer->{token};
isnt $fresh, $token, 'another one';
is status_of($one->{port}, $token), 200, 'the old one goes on';

my $elsewhere = ws_open($two->{port}, $token);
my $began = time;
($status) = rest($one->{port}, 'DELETE', '/v1/sessions/current', token => $token);
is $status, 200, 'sign-out';
is status_of($one->{port}, $token), 401, 'the token is void at once';
$answer = ws_expect($ws, 5, sub { $_->{type} eq 'error' });
is $answer->{code}, 'invalid_token', 'its socket is told';
ok !defined ws_next($ws, 5), 'and closed';
$answer = ws_expect($elsewhere, 10, sub { $_->{type} eq 'error' });
is $answer->{code}, 'invalid_token', 'also at another gateway';
ok time - $began < 5, 'within five seconds';
wait_until('it is void everywhere',
	sub { status_of($two->{port}, $token) == 401 }, 5);
is status_of($two->{port}, $fresh), 200, 'the other token is not touched';
is((rest($one->{port}, 'POST', '/v1/sessions/refresh', token => $token))[0],
	401, 'a void token buys no fresh one');

# --- a changed password

$elsewhere = ws_open($two->{port}, $fresh);
($status, $answer) = rest($one->{port}, 'PUT', '/v1/me/password',
	token => $fresh,
	body => { oldPassword => 'wrong horse', newPassword => 'another horse' });
is "$status $answer->{code}", '401 invalid_credentials',
  'the old password is asked for';
($status, $answer) = rest($one->{port}, 'PUT', '/v1/me/password',
	token => $fresh,
	body => { oldPassword => 'correct horse', newPassword => 'short' });
is "$status $answer->{field}", '400 newPassword', 'the new one is judged';
$began = time;
($status, $answer) = rest($one->{port}, 'PUT', '/v1/me/password',
	token => $fresh,
	body => { oldPassword => 'correct horse', newPassword => 'another horse' });
is $status, 200, 'the password is changed';
my $changed = $answer->{token};
is status_of($one->{port}, $changed), 200, 'with a token that is good';
ok ws_expect($elsewhere, 10, sub { $_->{type} eq 'error' }),
  'sockets from before it are closed';
ok time - $began < 5, 'within five seconds';
wait_until('tokens from before it are void',
	sub { status_of($one->{port}, $fresh) == 401 }, 5);
is status_of($two->{port}, $changed), 200, 'and not the one from after it';
is((sign_in($one->{port}, 'alice', 'correct horse'))[0], 401,
	'the old password is none any more');
is((sign_in($one->{port}, 'alice', 'another horse'))[0], 201, 'the new one is');

# --- put out by an administrator

($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
$token = $answer->{token};
($out, $err, $code) = ctl('token', 'revoke', '--user', 'alice');
is $code, 0, 'token revoke --user';
wait_until('all of hers are void',
	sub { status_of($one->{port}, $token) == 401 }, 5);

# As quickly as a script does it: a token is void although it is as young as that.
for my $try (1 .. 5)
{
	($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
	$token = $answer->{token};
	($out, $err, $code) = ctl('token', 'revoke', '--user', 'alice');
	wait_until("even the one of this very second is void ($try)",
		sub { status_of($one->{port}, $token) == 401 }, 5);
}
($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
write_text("$tmp/token", $answer->{token});
is status_of($one->{port}, $answer->{token}), 200, 'she may come again';
($out, $err, $code) = ctl('token', 'revoke', '--token-file', "$tmp/token");
is "$code$err", '0', 'token revoke --token-file';
wait_until('that one is void',
	sub { status_of($one->{port}, $answer->{token}) == 401 }, 5);

($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
$elsewhere = ws_open($two->{port}, $answer->{token});
$began = time;
ctl('user', 'deactivate', 'alice');
ok ws_expect($elsewhere, 10, sub { $_->{type} eq 'error' }),
  'a deactivated user is put out';
ok time - $began < 5, 'within five seconds';
is((sign_in($one->{port}, 'alice', 'another horse'))[0], 401,
	'and not let in, with the same words');
ctl('user', 'reactivate', 'alice');
($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
is $status, 201, 'until she is again';
is status_of($one->{port}, $answer->{token}), 200, 'and her token is good';

# --- bots

my ($bot) = ctl('bot', 'add', 'elements', '--by', 'alice', '--name', 'Elements');
($out, $err, $code) = ctl('bot', 'add', 'other', '--by', 'bob');
like $err, qr/only an admin's account makes bots/, 'bob makes no bots';
my ($bot_token) = ctl('bot', 'token', 'elements', '--scopes', 'read');
like $bot_token, qr/^ccb_[A-Za-z0-9_-]{43}$/, 'a bot has a token of its own';
is status_of($one->{port}, $bot_token), 200, 'which lets it in';
($status, $answer) = rest($one->{port}, 'POST', '/v1/conversations',
	token => $bot_token, body => { kind => 'group', title => 'x', members => [] });
is $status, 403, 'to do what its scopes allow, and no more'
  or diag explain $answer;
$ws = ws_open($two->{port}, $bot_token);
is $ws->{welcome}{userId}, $bot, 'on a socket, too';
my ($dumb_token) = ctl('bot', 'token', 'elements', '--scopes', 'send');
my $dumb = ws_open($two->{port}, $dumb_token);
($status, $answer) = sign_in($one->{port}, 'alice', 'another horse');
($status, $answer) = rest($one->{port}, 'POST', '/v1/conversations',
	token => $answer->{token},
	body => { kind => 'group', title => 'Bench', members => [$bot] });
is $status, 201, 'alice adds it' or diag explain $answer;
ok ws_expect($ws, 10, sub { $_->{type} eq 'added' }), 'it hears what it may read';
ws_send($dumb, { type => 'ping', ref => 'now' });
is ws_expect($dumb, 10, sub { 1 })->{type},
  'pong', 'with a token that only sends it hears nothing';
my ($tokens) = ctl('bot', 'tokens', 'elements');
my ($id) = $tokens =~ /^(\S+) +read /;
unlike $tokens, qr/ccb_/, 'its list shows no token';
unlike $node->safe_psql('postgres', 'TABLE chemchat.bot_token'), qr/ccb_/,
  'nor does the database know it';
$began = time;
ctl('bot', 'revoke', $id);
ok ws_expect($ws, 10, sub { $_->{type} eq 'error' }),
  'a token that is taken back closes its socket';
ok time - $began < 5, 'within five seconds';
wait_until('it opens none', sub { status_of($one->{port}, $bot_token) == 401 }, 5);
is status_of($one->{port}, 'ccb_' . 'A' x 43), 401, 'nor does one made up';

# --- the operator's screen

$ENV{CHEMCHAT_GATEWAY_OPS_URL} = "http://127.0.0.1:$one->{ops_port}";
($out, $err, $code) = ctl('status');
like $out, qr/^gateway +\S+ +ok, \d+ sockets/m, 'status asks the gateway';
like $out, qr/^outbox +\S+ \(kafka\) missing/m, 'and the outbox';
is $code, 1, 'and tells by its exit status that a relay is missing';
($out, $err, $code) = ctl('doctor', '--all');
like $out, qr/^ok +version: library/m, 'doctor prints what it finds';
write_text("$tmp/gateway.conf", "pg = \"$pg\"\nissuers_file = $tmp/nowhere\n");
($out, $err, $code) = ctl('doctor', '--gateway-config', "$tmp/gateway.conf");
like $out, qr/issuers_file: .*could not open/, 'also in a configuration';
is $code, 1, 'which is an error';

# --- nothing secret in a log

is stop_daemon($one), 0, 'the first gateway stops';
is stop_daemon($two), 0, 'the second gateway stops';
my $logs = slurp_file($one->{log}) . slurp_file($two->{log});
unlike $logs, qr/horse|eyJ|ccb_/, 'no password and no token is in a log';

# --- switched off

my $off = start_gateway('off', local_accounts => 'off');
is((sign_in($off->{port}, 'alice', 'another horse'))[0], 404,
	'without local accounts there is no sign-in');
is stop_daemon($off), 0, 'it stops';

done_testing();
