"""Known secrets, planted on the host of many backends."""

ARGON_DATABASE = "canary-argon-db-t6:Rq@2/Vz?8+Ks"
ARGON_JWT = "canary-argon-jwt-Yw3kQ9zPb7Xn5Ls1Tf8Vd2Hm6Jc4Rg0Ea9Uo3Iq7Bt5Wv1Sx8Zy6Mk"
PARTS_DATABASE = "canary-parts-db-m5$Gd7#Lq1"
PARTS_JWT = "canary-parts-jwt-Ns8vK2xLw6Qa9Rz4Tb1Yp7Gc3Fh5Jd0Me8Uo2Ik6Wl4Xn9Sv1Bq7Zt3R"
CREW_DATABASE = "canary-crew-db-Zt4nB7wQs1"
CREW_JWT = "canary-crew-jwt-Kd8vP2xHw5Ra1Mz9Lb3Yc7Gq4Tj0Se6UfWn3Xp5Ys8Zt1Vb6Qm4Hk9"
RS256_DATABASE = "canary-rs256-db-Wd4nC8sJx2"
ES256_DATABASE = "canary-es256-db-Hf9bM3tKz7"
SHOP_DATABASE = "canary-shop-db-Pq6!vR1;Yk8"
SHOP_SECRET = "canary-shop-key-Lx4!mZ8(tQ2)wB6*eN1=rV9+kD5-hJ3^sG7%pF0aC2uYoX"
HUB_DATABASE = "canary-hub-db-Vr5mX8cLw3"
HUB_JWT = "canary-hub-jwt-Tq7nB3yHk9Mw5Zx1Lc8Vd2Rg6Pf4Js0Ea7Uo9Iq3Wt5Sv1Yb8Xk6N"
DESK_DATABASE = "canary-desk-db-Ua2wE7rTy5"
DESK_SECRET = "canary-desk-key-Gt9pL3kVb6Zs1Xd8Nf4Mh7Jq2Wc5"
ADMIN_PASSWORD = "canary-dba-Nf5 %Lw@8/Hx"
MANAGER_PASSWORD = "canary-manager-Rb2vT9cKq6"
OWNER_PASSWORD = "canary-owner-Ck5!uD2 xQ9'sB7"
OTHERS_PASSWORD = "canary-people-Zf3vT8jRw1"

ALL = tuple(
    value for name, value in dict(vars()).items() if name.isupper() and isinstance(value, str)
)
