"""What a local model is asked, who answers, what is kept of it. The model proposes, the compiler judges.

Here live questions and answers, the lock file, and the servers of models, which are loaded only where one is asked.
Here never lives a verdict: that is `compiler.proposals`, which treats every answer as hostile.
"""

from compiler.proposer.proposer import Asker, open_asker
from compiler.proposer.question import ModelAnswer, Question, QuestionKind
from compiler.proposer.record import Record, RecordedAnswer, read_record

__all__ = ["ModelAnswer", "Asker", "RecordedAnswer", "QuestionKind", "Question", "Record", "open_asker", "read_record"]
