#include "gateway_config.h"

#include <arpa/inet.h>

#include "address.h"
#include "auth_issuers.h"
#include "pg_conninfo.h"
#include "redis_url.h"

#define OFFSET(field) offsetof(GatewayConfig, field)

const Option gateway_options[] = {
	{ .name = "pg",
	  .type = OPTION_STRING,
	  .offset = OFFSET(pg),
	  .is_required = true,
	  .help = "PostgreSQL, as a connection string without password" },
	{ .name = "pg_password_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(pg_password_file),
	  .help = "file whose first line is the password" },
	{ .name = "pg_send_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(pg_send_connections),
	  .fallback = "2",
	  .min = 1,
	  .max = 64,
	  .help = "connections for sends, each with its share of conversations" },
	{ .name = "pg_read_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(pg_read_connections),
	  .fallback = "2",
	  .min = 1,
	  .max = 64,
	  .help = "connections for everything else" },
	{ .name = "pg_write_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(pg_write_connections),
	  .fallback = "2",
	  .min = 1,
	  .max = 64,
	  .help = "connections for edits, members and all else that is written" },
	{ .name = "jwt_secret_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(jwt_secret_file),
	  .help = "keys of our own tokens (HS256), HEX or KID:HEX a line; the "
			  "first signs" },
	{ .name = "jwt_issuer",
	  .type = OPTION_STRING,
	  .offset = OFFSET(jwt_issuer),
	  .help = "the iss that tokens must have" },
	{ .name = "jwt_audience",
	  .type = OPTION_STRING,
	  .offset = OFFSET(jwt_audience),
	  .help = "the aud that tokens must have" },
	{ .name = "issuers_file",
	  .type = OPTION_STRING,
	  .offset = OFFSET(issuers_file),
	  .help = "others whose tokens are good (JSON, docs/operations.md)" },
	{ .name = "local_accounts",
	  .type = OPTION_BOOL,
	  .offset = OFFSET(local_accounts),
	  .fallback = "off",
	  .help = "sign-in with handle and password (/v1/sessions)" },
	{ .name = "session_ttl",
	  .type = OPTION_DURATION,
	  .offset = OFFSET(session_ttl_ms),
	  .fallback = "12h",
	  .min = 60000,
	  .max = 30LL * 86400000,
	  .help = "how long a sign-in is good" },
	{ .name = "listen_host",
	  .type = OPTION_STRING,
	  .offset = OFFSET(listen_host),
	  .fallback = "127.0.0.1",
	  .help = "address to listen on" },
	{ .name = "listen_port",
	  .type = OPTION_INT,
	  .offset = OFFSET(listen_port),
	  .fallback = "8080",
	  .min = 0,
	  .max = 65535,
	  .help = "port to listen on; 0 = a free one" },
	{ .name = "port_file",
	  .type = OPTION_STRING,
	  .offset = OFFSET(port_file),
	  .help = "where the port is written once it is open" },
	{ .name = "web_root",
	  .type = OPTION_STRING,
	  .offset = OFFSET(web_root),
	  .help = "folder of the web client, read at start" },
	{ .name = "allowed_origins",
	  .type = OPTION_STRING,
	  .offset = OFFSET(allowed_origins),
	  .help = "origins of other pages that may connect, comma-separated" },
	{ .name = "tls_cert_file",
	  .type = OPTION_STRING,
	  .offset = OFFSET(tls_cert_file),
	  .help = "certificate chain (PEM), leaf first; with it only TLS is "
			  "spoken; read again when it changes" },
	{ .name = "tls_key_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(tls_key_file),
	  .help = "the certificate's private key (PEM)" },
	{ .name = "trusted_proxies",
	  .type = OPTION_STRING,
	  .offset = OFFSET(trusted_proxies),
	  .help = "addresses or ranges (10.0.0.0/8, ...) whose X-Forwarded-For "
			  "and PROXY headers are believed" },
	{ .name = "proxy_protocol",
	  .type = OPTION_BOOL,
	  .offset = OFFSET(proxy_protocol),
	  .fallback = "off",
	  .help = "trusted proxies begin every connection with a PROXY header" },
	{ .name = "http_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(http_connections),
	  .fallback = "4096",
	  .min = 16,
	  .max = 1000000,
	  .help = "connections at once that are no WebSocket" },
	{ .name = "address_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(address_connections),
	  .fallback = "1000",
	  .min = 0,
	  .max = 1000000,
	  .help = "connections of one address (IPv6: one /64) at once; 0 = no "
			  "limit" },
	{ .name = "address_requests",
	  .type = OPTION_INT,
	  .offset = OFFSET(address_requests),
	  .fallback = "500",
	  .min = 0,
	  .max = 1000000,
	  .help = "HTTP requests and upgrades a second of one address, twice that "
			  "at once; 0 = no limit" },
	{ .name = "redis_url",
	  .type = OPTION_STRING,
	  .offset = OFFSET(redis_url),
	  .help = "redis://host:port or unix:///path for live delivery; without, "
			  "the database is polled" },
	{ .name = "redis_password_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(redis_password_file),
	  .help = "file whose first line is the Redis password" },
	{ .name = "max_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(max_connections),
	  .fallback = "20000",
	  .min = 1,
	  .max = 1000000,
	  .help = "WebSockets at once; more are answered 503" },
	{ .name = "user_connections",
	  .type = OPTION_INT,
	  .offset = OFFSET(user_connections),
	  .fallback = "10",
	  .min = 1,
	  .max = 10000,
	  .help = "WebSockets of one user at once" },
	{ .name = "send_rate",
	  .type = OPTION_INT,
	  .offset = OFFSET(send_rate),
	  .fallback = "20",
	  .min = 0,
	  .max = 1000000,
	  .help = "messages a second of one user; 0 = no limit" },
	{ .name = "send_burst",
	  .type = OPTION_INT,
	  .offset = OFFSET(send_burst),
	  .fallback = "40",
	  .min = 1,
	  .max = 1000000,
	  .help = "messages of one user at once" },
	{ .name = "read_queue",
	  .type = OPTION_INT,
	  .offset = OFFSET(read_queue),
	  .fallback = "2000",
	  .min = 16,
	  .max = 8000,
	  .help = "reads that may wait for the database; more are told to come "
			  "again" },
	{ .name = "hello_queue",
	  .type = OPTION_INT,
	  .offset = OFFSET(hello_queue),
	  .fallback = "10000",
	  .min = 16,
	  .max = 1000000,
	  .help = "hellos that may wait for the database; more are told to come "
			  "again" },
	{ .name = "request_rate",
	  .type = OPTION_INT,
	  .offset = OFFSET(request_rate),
	  .fallback = "100",
	  .min = 0,
	  .max = 1000000,
	  .help = "frames a second of one connection, and REST requests of one "
			  "user; 0 = no limit" },
	{ .name = "request_burst",
	  .type = OPTION_INT,
	  .offset = OFFSET(request_burst),
	  .fallback = "200",
	  .min = 1,
	  .max = 1000000,
	  .help = "frames of one connection, REST requests of one user, at once" },
	{ .name = "send_queue",
	  .type = OPTION_INT,
	  .offset = OFFSET(send_queue),
	  .fallback = "20000",
	  .min = 256,
	  .max = 1000000,
	  .help = "sends that may wait for the database; more are `unavailable`" },
	{ .name = "poll_rows_per_second",
	  .type = OPTION_INT,
	  .offset = OFFSET(poll_rows_per_second),
	  .fallback = "20000",
	  .min = 100,
	  .max = 1000000,
	  .help = "memberships read a second while the database is polled" },
	{ .name = "receipt_members",
	  .type = OPTION_INT,
	  .offset = OFFSET(receipt_members),
	  .fallback = "200",
	  .min = 0,
	  .max = 10000,
	  .help = "members a conversation may have for them to be told what "
			  "each has read" },
	{ .name = "drain_timeout",
	  .type = OPTION_DURATION,
	  .offset = OFFSET(drain_timeout_ms),
	  .fallback = "8s",
	  .min = 100,
	  .max = 60000,
	  .help = "how long a stop waits for requests under way" },
	{ .name = NULL },
};

static bool check_tokens(const GatewayConfig *config, Error *err);

bool
gateway_config_check(const void *arg, Error *err)
{
	const GatewayConfig *config = arg;
	AddressRanges ranges;
	RedisUrl redis;
	unsigned char address[16];

	if (!pg_conninfo_check(config->pg, err))
		return error_wrap(err, "pg");
	if (config->redis_url != NULL &&
		!redis_url_parse(config->redis_url, &redis, err))
		return error_wrap(err, "redis_url");
	if (!check_tokens(config, err))
		return false;
	if (inet_pton(AF_INET, config->listen_host, address) != 1 &&
		inet_pton(AF_INET6, config->listen_host, address) != 1)
		return error_set(err, "listen_host is no address: \"%s\"",
						 config->listen_host);
	if ((config->tls_cert_file != NULL) != (config->tls_key_file != NULL))
		return error_set(err, "tls_cert_file and tls_key_file go together");
	if (!address_ranges_parse(config->trusted_proxies, &ranges, err))
		return error_wrap(err, "trusted_proxies");
	address_ranges_free(&ranges);
	if (config->proxy_protocol && config->trusted_proxies == NULL)
		return error_set(err, "proxy_protocol: from whom? trusted_proxies is "
							  "not set");
	return true;
}

/* Read now, so that --check-config tells and a start does not find out. */
static bool
check_tokens(const GatewayConfig *config, Error *err)
{
	AuthIssuers *issuers;
	bool is_good = true;

	if (config->jwt_secret_file == NULL && config->local_accounts)
		return error_set(err, "local_accounts: needs jwt_secret_file, to sign "
							  "with");
	if (config->jwt_secret_file == NULL && config->issuers_file == NULL)
		return error_set(err, "jwt_secret_file: is missing, and so is "
							  "issuers_file: whose tokens are good?");
	issuers = auth_issuers_new();
	if (config->issuers_file != NULL &&
		!auth_issuers_read(issuers, config->issuers_file, err))
		is_good = error_wrap(err, "issuers_file");
	auth_issuers_free(&issuers);
	return is_good;
}
