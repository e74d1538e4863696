/*
 * auth_metrics - who was let in and who was not, in numbers
 *
 * Made once; copies the counts of Auth and Accounts when asked to.
 */
#ifndef CHEMCHAT_AUTH_METRICS_H
#define CHEMCHAT_AUTH_METRICS_H

#include "accounts.h"
#include "auth.h"

typedef struct AuthMetrics AuthMetrics;

AuthMetrics *auth_metrics_new(void);
void auth_metrics_free(AuthMetrics **metrics);

void auth_metrics_update(AuthMetrics *metrics, const Auth *auth,
						 const Accounts *accounts);

#endif
