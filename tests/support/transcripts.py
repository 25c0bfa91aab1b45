"""The protocol's reference transcripts: one session, seen by the operator and three clients."""

from __future__ import annotations

# Lines that begin with "> " are typed. {blank} is a blank at the end of a line, which is part of it.
OPERATOR = """\
Server started on port 12345
Welcome 127.0.0.1|41050 to the server!
Welcome 127.0.0.1|41052 to the server!
127.0.0.1|41050 is now Malcolm
127.0.0.1|41052 is now Sturgis
Welcome 127.0.0.1|41054 to the server!
127.0.0.1|41054 is now Jimmy
> Hello users!
> /msg Sturgis You're my favorite <3
Message sent to 1 users of name Sturgis
> /kick Jimmy
Jimmy has left the server.
Kicked 1 people.
Malcolm has left the server.
Sturgis has left the server.
"""

CLIENT_1 = """\
Welcome 127.0.0.1|41050 to the server!
Welcome 127.0.0.1|41052 to the server!
> /nick Malcolm
You are now Malcolm
127.0.0.1|41052 is now Sturgis
Welcome 127.0.0.1|41054 to the server!
127.0.0.1|41054 is now Jimmy
Jimmy(private): Hey, how's it going?{blank}
Operator: Hello users!
Jimmy has left the server.
> /quit
You have left the server
"""

CLIENT_2 = """\
Welcome 127.0.0.1|41052 to the server!
127.0.0.1|41050 is now Malcolm
> /nick Sturgis
You are now Sturgis
Welcome 127.0.0.1|41054 to the server!
127.0.0.1|41054 is now Jimmy
> /list
127.0.0.1|41050 as Malcolm
127.0.0.1|41054 as Jimmy
Operator: Hello users!
Operator (private): You're my favorite <3{blank}
Jimmy has left the server.
Malcolm has left the server.
> /quit
You have left the server
"""

CLIENT_3 = """\
Welcome 127.0.0.1|41054 to the server!
> /nick Jimmy
You are now Jimmy
> /msg Malcolm Hey, how's it going?
Message sent to 1 users of name Malcolm
Operator: Hello users!
You have left the server
"""
