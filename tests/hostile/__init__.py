"""Files and situations that somebody made to do harm, or an unlucky user met: one file a kind, one test a member."""
