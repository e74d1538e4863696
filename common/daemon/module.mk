# What every daemon is: options, logs, signals, operations port.
KIND := lib
USES := common/base
