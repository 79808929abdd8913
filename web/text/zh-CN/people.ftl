# People.
# In the place of the name of whoever closed the account.
people-closed = 已注销居民
people-desk-device = 议事台（密码登录）
guest-nameless = 访客
