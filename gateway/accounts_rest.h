/*
 * accounts_rest - signing in over HTTP
 *
 *   POST   /v1/sessions          {handle, password}
 *   POST   /v1/sessions/refresh
 *   DELETE /v1/sessions/current
 *   PUT    /v1/me/password       {oldPassword, newPassword}
 *
 * Each but the deletion answers {token, expiresAt, userId}.  What they mean
 * is accounts.h's; here is only how it is said.
 */
#ifndef CHEMCHAT_ACCOUNTS_REST_H
#define CHEMCHAT_ACCOUNTS_REST_H

#include "rest.h"

/* Gives the four verbs their handlers; they use Chat.accounts. */
void accounts_rest_open(Rest *rest);

#endif
