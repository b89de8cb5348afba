"""What every router needs: the models at the border, pages of lists, entity tags, and who is asking."""
