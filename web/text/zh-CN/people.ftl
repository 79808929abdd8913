# People.
# In the place of the name of whoever closed the account.
people-closed = 已注销居民
