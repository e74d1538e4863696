/*
 * cmd_small - ping and bye
 */
#include "command.h"
#include "frames.h"

void
cmd_ping(const CommandArgs *args)
{
	session_send(args->session, frame_pong(args->ref));
}

void
cmd_bye(const CommandArgs *args)
{
	session_close(args->session, CLOSE_BYE, "bye");
}
