#!/usr/bin/perl
# conninfo.pl - a PostgreSQL conninfo as a section of a service file
#
# Reads a conninfo (keyword=value form or URI) from standard input and prints
# "[chemchat]" and one key=value a line.  With that in a file of mode 0600,
# everybody can say "service=chemchat", and no password stands in an argument.
# With --uri it prints the same as a URI instead.
use strict;
use warnings;

local $/;
my $text = <STDIN>;
$text =~ s/^\s+|\s+$//g;
my @pairs;

sub decode
{
	my ($s) = @_;
	$s =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $s;
}

sub encode
{
	my ($s) = @_;
	$s =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
	return $s;
}

# Everything but the user and the database stands in the query, where a list
# of hosts, a socket's folder and an IPv6 address need no care.
sub uri
{
	my %value = map { $_->[0] => $_->[1] } @_;
	my $user = delete $value{user};
	my $password = delete $value{password};
	my $database = delete $value{dbname} // '';
	my $login = '';

	$login = encode($user // '') if defined $user || defined $password;
	$login .= ':' . encode($password) if defined $password;
	$login .= '@' if $login ne '';
	my $query = join '&', map { "$_=" . encode($value{$_}) } sort keys %value;
	return "postgresql://$login/" . encode($database)
	  . ($query ne '' ? "?$query" : '');
}

if ($text =~ m{^postgres(?:ql)?://(?:([^@/?]*)@)?([^/?]*)(?:/([^?]*))?(?:\?(.*))?$}s)
{
	my ($user, $hosts, $database, $query) = ($1, $2, $3, $4);
	if (defined $user && $user ne '')
	{
		my ($name, $password) = split /:/, $user, 2;
		push @pairs, [ user => decode($name) ] if $name ne '';
		push @pairs, [ password => decode($password) ] if defined $password;
	}
	if ($hosts ne '')
	{
		my (@hosts, @ports);
		for my $one (split /,/, $hosts)
		{
			$one =~ /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/
			  or die "conninfo: cannot read the host \"$one\"\n";
			my ($host, $port) = ($1, $2);
			$host =~ s/^\[(.*)\]$/$1/;
			push @hosts, decode($host);
			push @ports, $port // '';
		}
		push @pairs, [ host => join ',', @hosts ] if grep { $_ ne '' } @hosts;
		push @pairs, [ port => join ',', @ports ] if grep { $_ ne '' } @ports;
	}
	push @pairs, [ dbname => decode($database) ]
	  if defined $database && $database ne '';
	for my $one (split /&/, $query // '')
	{
		my ($key, $value) = split /=/, $one, 2;
		push @pairs, [ decode($key), decode($value // '') ];
	}
}
else
{
	while ($text =~ /\G\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))/gcs)
	{
		my ($key, $value) = ($1, defined $2 ? $2 : $3);
		$value =~ s/\\(.)/$1/gs;
		push @pairs, [ $key, $value ];
	}
	$text =~ /\G\s*$/gc
	  or die "conninfo: neither a postgresql:// URI nor key=value pairs\n";
}
die "conninfo: empty\n" unless @pairs;
if (@ARGV && $ARGV[0] eq '--uri')
{
	print uri(@pairs), "\n";
	exit 0;
}
print "[chemchat]\n";
for (@pairs)
{
	my ($key, $value) = @$_;
	$key =~ /^\w+$/ && $value !~ /[\r\n]/ or die "conninfo: bad key or value\n";
	print "$key=$value\n";
}
