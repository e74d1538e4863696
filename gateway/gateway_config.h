/*
 * gateway_config - the gateway's settings
 */
#ifndef CHEMCHAT_GATEWAY_CONFIG_H
#define CHEMCHAT_GATEWAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "option.h"

typedef struct GatewayConfig
{
	char *pg;
	char *pg_password_file;
	int64_t pg_send_connections;
	int64_t pg_read_connections;
	int64_t pg_write_connections;
	char *jwt_secret_file;
	char *jwt_issuer;
	char *jwt_audience;
	char *issuers_file;
	bool local_accounts;
	int64_t session_ttl_ms;
	char *listen_host;
	int64_t listen_port;
	char *port_file;
	char *web_root;
	char *allowed_origins;
	char *tls_cert_file;
	char *tls_key_file;
	char *trusted_proxies;
	bool proxy_protocol;
	int64_t http_connections;
	int64_t address_connections;
	int64_t address_requests;
	char *redis_url;
	char *redis_password_file;
	int64_t max_connections;
	int64_t user_connections;
	int64_t send_rate;
	int64_t send_burst;
	int64_t read_queue;
	int64_t hello_queue;
	int64_t request_rate;
	int64_t request_burst;
	int64_t send_queue;
	int64_t poll_rows_per_second;
	int64_t receipt_members;
	int64_t drain_timeout_ms;
} GatewayConfig;

extern const Option gateway_options[];

/* DaemonSpec.check */
bool gateway_config_check(const void *config, Error *err);

#endif
