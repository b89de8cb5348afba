"""Which workflows fit what somebody says: the index, the questions that it understands, the words of the trade."""
