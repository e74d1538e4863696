# The contracts between processes: frames, events, topics, keys.
KIND := lib
USES := common/base
