### 账号限额的名称。

limit-images = 镜像
limit-trashed = 回收站中的镜像
limit-stored-bytes = 镜像数据
limit-unique-bytes = 去重后的镜像数据
limit-uploads = 未完成的上传
limit-upload-bytes = 上传的文件
limit-jobs = 制作中的镜像
limit-transfers = 同时进行的传输
limit-none = 不限
