### 镜像名称。

name-rule = 1 到 50 个汉字、英文字母、数字或 _ , . : -
name-invalid = 这不能用作镜像名称：限 { $rule }
name-taken = 该账号的镜像 { $id } 已使用此名称。请换一个名称，或将该镜像改名或删除。
name-held-by-upload = 尚未完成的导入（镜像 { $id }）占用了此名称。请用同一文件和名称再次导入以继续，或换一个名称，或删除该镜像。
name-empty = 镜像名称为空：限 { $rule }
name-invalid-or-taken = 该账号的另一个镜像已使用此名称，或者它不能用作镜像名称：限 { $rule }
