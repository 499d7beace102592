### 网页控制台的文本。

frame-product = 镜库
frame-skip = 跳到正文
frame-navigation = 页面
frame-account = 账号 { $id }
frame-sign-out = 退出登录
frame-sign-out-everywhere = 退出所有浏览器
frame-detail = 服务的答复：

sign-in-title = 登录
sign-in-by-link = 此链接只能登录一次。
sign-in-button = 登录
sign-in-public-key = 公钥
sign-in-private-key = 私钥
sign-in-hint = 也可以在存有密钥的机器上创建登录链接：
sign-in-wrong = 密钥不正确、已吊销，或不允许从此地址使用。
sign-in-too-many = 登录失败次数过多。请等待十分钟，或用 jingku console 生成的链接登录。
sign-in-bad-link = 链接已使用过或已过期。请重新创建，或使用密钥登录。

failure-title = 操作未完成
failure-back = 查看镜像
failure-start = 返回首页
failure-bad-form = 表单已过期。请返回并刷新页面后重试。
failure-too-large = 文件或文本过大，未作任何修改。
failure-too-many = 一次最多选择 { $max } 个镜像，未作任何修改。
failure-not-found = 内容不存在，或您的账号无权访问。

refusal-value = 有的内容不可用：过长、含有不允许的字符，或名称已被其他镜像使用。
refusal-address = 此密钥不允许从当前地址使用。
refusal-read-only = 此密钥只能读取，或管理员不允许此操作。
refusal-not-available = 镜像当前不可用。
refusal-limit = 已达到账号或服务的上限。
refusal-reshare = 他人共享给您的镜像不能再共享。
refusal-making = 正在用该实例制作镜像，请等待完成。
refusal-version = 该镜像组已有同名版本。
refusal-instance-state = 实例当前的状态不允许此操作。
refusal-later = 服务繁忙，请稍后重试。
refusal-fault = 服务出错。请重试，或请管理员查看日志。
refusal-other = 服务拒绝了此操作。

images-title = 镜像
images-tabs = 镜像类别
images-make = 制作镜像
images-select-all = 选择本页全部
images-select = 选择 { $name }
images-tag = 为所选设置标签
images-share = 共享所选
images-delete = 删除所选
images-delete-one = 删除此镜像
images-count = 共 { $count } 个镜像
images-deleted = 已删除 { $count } 个镜像。
images-tagged = 已设置 { $count } 个镜像的标签。
images-shared = 已共享 { $count } 个镜像。
images-unshared = { $count } 个镜像已停止与这些账号共享。
tab-own = 我的镜像
tab-shared = 共享给我
tab-community = 社区
tab-platform = 平台
filter-name = 名称包含
filter-status = 状态
filter-sort = 排序
filter-any = 全部
filter-button = 搜索
filter-more = 更多筛选
filter-tag = 标签（须全部具有）
filter-size-from = 大小不小于（GB）
filter-size-below = 大小小于（GB）
filter-from = 创建日期从（UTC）
filter-until = 创建日期至（UTC）
sort-newest = 最新创建
sort-updated = 最近修改
sort-size = 从大到小
sort-name = 按名称
sort-recommended = 推荐优先
sort-used = 使用最多
sort-favorites = 收藏最多
column-name = 名称
column-status = 状态
column-owner = 所有者
column-size = 大小
column-created = 创建时间
page-first = 首页
page-next = 下一页

status-making = 制作中
status-available = 可用
status-failed = 失败
status-reviewing = 审核中
status-offline = 已下架
status-unknown = 未知
failed-advice = 请排除上述原因，再重新制作或导入。该名称可以再次使用；此镜像不再需要时可以删除。
progress-waiting = 等待开始
progress-detail = { $percent }% · { $speed }/秒 · 剩余 { $left }
progress-detail-present = { $percent }% · { $speed }/秒 · 剩余 { $left } · 已有 { $present }
duration-seconds = { $seconds } 秒
duration-minutes = { $minutes } 分 { $seconds } 秒
duration-hours = { $hours } 小时 { $minutes } 分

empty-filtered = 没有符合条件的镜像。
empty-all = 显示全部
empty-own = 还没有镜像。可在此处或用命令行制作：
empty-shared = 还没有人向您共享镜像。请将您的账号编号告知镜像所有者：{ $account }。
empty-community = 还没有人发布镜像。要发布自己的镜像，请打开它并选择“发布”。
empty-platform = 管理员还没有提供镜像。管理员可用命令行添加：

delete-title = 删除镜像
delete-question = { $count ->
    [1] 删除此镜像？
   *[other] 删除这 { $count } 个镜像？
}
delete-what = { $days ->
    [0] 数据将在几分钟内永久删除，镜像的链接随之失效。
   *[other] { $days } 天内可从回收站恢复，之后数据将永久删除。镜像的链接立即失效。
}
delete-button = 删除
delete-cancel = 取消

tag-title = 设置标签
tag-question = { $count ->
    [1] 设置此镜像的标签
   *[other] 设置这 { $count } 个镜像的标签
}
tag-add = 添加标签
tag-remove = 移除标签
tag-rule = 用逗号分隔。每个镜像最多三个标签，每个标签最多 64 个字符。
tag-button = 修改标签
tag-none = 请输入要添加或移除的标签。
tag-too-many = 标签将超过 { $max } 个。
share-title = 共享镜像
share-question = { $count ->
    [1] 共享此镜像
   *[other] 共享这 { $count } 个镜像
}
share-rule = 最多十个，用逗号分隔。这些账号可以使用和导出镜像，但不能修改或再共享。
share-too-many = 最多输入十个账号。
outcomes-failed = { $count } 个镜像未能修改，原因见下方。
outcomes-result = 结果
outcomes-done = 完成
outcomes-unchanged = 未修改

trash-title = 回收站
trash-hint = { $days ->
    [0] 本服务不保留已删除的镜像，其数据会在几分钟内清除。
   *[other] 已删除的镜像保留 { $days } 天，期间仍计入账号的限额。恢复后的镜像为私有，不再共享。
}
trash-none = 回收站是空的。
trash-empty = 清空回收站
trash-restore = 恢复所选
trash-restore-as = 恢复
trash-purge = 永久删除所选
trash-rename = { $name } 的新名称
trash-not-restorable = 删除时镜像尚未制作完成，无法恢复。
trash-name-taken = 已有同名镜像，未恢复任何镜像。请输入其他名称。
trash-names-taken = 所选镜像中有的名称已被使用，未恢复任何镜像。请逐个恢复并另取名称。
trash-restored = 已恢复 { $count } 个镜像。
trash-purged = 已永久删除 { $count } 个镜像。
trash-purged-some = 已永久删除 { $count } 个镜像，还剩 { $left } 个，请再次清空。
column-deleted = 删除时间
column-expires = 保留至

purge-title = 永久删除
purge-question = { $count ->
    [1] 永久删除此镜像？
   *[other] 永久删除这 { $count } 个镜像？
}
purge-all-question = 清空回收站？
purge-all = 回收站中有 { $count } 个镜像。
purge-what = 数据将被清除，管理员也无法恢复。账号限额立即释放，服务器磁盘空间在一天内的下一次清理后释放。
purge-button = 永久删除

usage-title = 用量
usage-measured = 统计时间：
usage-not-measured = 尚无统计数据。有镜像后几分钟内首次统计，此后每天统计一次。
usage-hint = 均为压缩前的大小，只统计自己的镜像。每天统计一次，镜像变化后约一小时内更新。
usage-limits = 限额与剩余
usage-chart = 用量变化
usage-chart-desc = { $first } 至 { $last } 的三条曲线：镜像大小、数据量、仅一个镜像使用的数据量。数值见下方表格。
usage-table = 以表格查看
usage-time = 时间
usage-images = 各镜像用量
usage-logical = 大小
usage-stored = 数据量
usage-unique = 独占
usage-trash = 仅回收站使用
usage-freed = 清空回收站后，下一次清理最多可释放 { $size }（压缩前）：
usage-in-trash = 在回收站
usage-others = 其余 { $count } 个镜像
usage-no-images = 统计时账号没有镜像。
limit-images = 镜像
limit-trashed = 回收站中的镜像
limit-stored = 镜像数据
limit-unique = 去重后的镜像数据
limit-uploads = 上传
limit-upload-bytes = 已上传的文件
limit-jobs = 等待或制作中的镜像
limit-transfers = 同时进行的下载和上传
limit-used = { $used }，不限
limit-used-of = { $used } / { $max }
limit-left = 剩余 { $left }

image-facts = 基本信息
image-activity = 查看制作和修改记录
image-readme = 说明
image-versions = 版本
image-cover = 封面
image-use = 使用
image-edit = 编辑
image-save = 保存
image-share = 共享
image-copy = 复制
image-link = 下载链接
image-publish = 发布
image-delete = 删除
fact-kind = 类型
fact-size = 大小
fact-origin = 来源
fact-owner = 所有者
fact-zone = 可用区
fact-gpu = GPU
fact-version = 版本
fact-softwares = 软件
fact-left-out = 未收入
fact-left-out-value = { $count } 个文件，{ $size }
fact-stored = 数据量（不含零）
fact-unique = 独占数据量
fact-source = 复制自
weight-unknown = 尚未统计，约一小时内统计
fact-created = 创建时间
fact-updated = 修改时间
fact-published = 发布时间
kind-container = 容器
kind-disk = 虚拟机磁盘
origin-own = 自己的镜像
origin-shared = 共享给我的镜像
origin-community = 社区镜像
origin-platform = 平台镜像

update-changed = 打开此页面后镜像已被修改，本次未保存。页面显示的是镜像现在的内容，表单中保留了您输入的内容；再次保存即可覆盖。
cover-file = 图片
cover-rule = PNG、JPEG、WebP 或 GIF，最大 { $size }、4096 × 4096 像素。知道地址的人都可以看到。
cover-button = 上传
cover-remove = 移除
cover-none = 请先选择图片。
cover-refused = 不能用作封面。请选择不超过 512 KB、4096 × 4096 像素的 PNG、JPEG、WebP 或 GIF 图片。
cover-changed = 打开此页面后封面已被修改，本次未保存。要替换封面，请重新选择文件。
readme-title = { $name } 的说明
readme-none = 可在此告诉他人如何使用镜像。
readme-edit = 编辑说明
readme-rule = Markdown 格式，最多 { $max } 个字符。HTML 按文本显示，图片显示为链接。
readme-preview = 预览
readme-saved = 已保存的说明

share-nobody = 只有您的账号可以看到此镜像。
share-accounts = 账号编号
share-button = 共享
share-stop = 停止共享
share-stop-with = 停止与 { $account } 共享
share-not-numbers = 请输入账号编号，如 2 或 2, 5。
share-invalid = 以下账号不存在或不能共享：{ $accounts }。未作任何修改。
copy-name = 副本名称（可不填）
copy-button = 复制
link-hint = 在过期之前，任何人都可用此链接下载磁盘，不需要密钥。
link-size = { $size }。
link-until = 有效期至
link-expires = 有效时长
link-hour = 1 小时
link-hours = 8 小时
link-day = 1 天
link-button = 创建链接
publish-hint = 管理员审核通过后，本服务的所有账号都可以看到并使用该镜像。
publish-version = 版本（可不填）
publish-desc = 更新内容
publish-button = 发布

make-title = 制作
make-no-instances = 账号还没有实例。管理员可用命令行声明：
state-running = 运行中
state-stopped = 已停止
state-making = 正在制作镜像
make-instance = 实例
make-name = 名称
make-name-rule = 1 到 { $max } 个中文、字母、数字或 _ , . : -
make-description = 描述
make-tags = 标签
make-tags-rule = 最多三个，用逗号分隔
make-button = 开始制作
make-estimate-button = 先估算
make-estimate = 需要读取 { $size }，其中新增 { $new }，约需 { $time }。
make-does-not-fit = 空间不足以存放此镜像。

import-title = 导入
import-hint = 用文件制作镜像。浏览器会计算文件的哈希并分段上传；中断后重新选择同一文件即可续传。
import-no-script = 在此页面导入需要 JavaScript。也可以使用命令行：
import-drop = 将文件拖到此处
import-choose = 或点击选择
import-button = 导入
import-cancel = 取消并删除上传
import-formats = 支持的文件
import-format-qcow2 = qcow2 磁盘（版本 2 或 3，不带后备文件）
import-format-raw = raw 磁盘，逐字节导入
import-format-container = podman save 或 docker save 保存的容器镜像
import-format-packed = 以上文件的 gzip 或 zstd 压缩包
import-largest = 按内容识别，与文件名无关。文件及其中的磁盘最大 1000 GB。
import-starting = 正在开始…
import-sending = %percent%% · %done% / %total% · %speed%/秒。请保持此页面打开。
import-checking = 正在与服务器已收到的部分比对：%percent%%
import-waiting = 服务器无响应，正在重试…
import-resume = %file%（%size%）的上传已中断，重新选择该文件即可续传。
import-network = 五分钟内无法连接服务器。已上传的部分保留一天，重新导入同一文件即可续传。
import-differs = 服务器上此名称已有另一个同样大小的文件。请取消该上传或更换名称。
import-gone = 上传已结束或已删除，请重新开始。
import-full = 空间不足以存放文件的剩余部分。
import-unreadable = 无法读取文件，或文件已变化。请取消上传后重新导入。
import-empty = 文件为空。
import-sign-in = 登录已失效。重新登录后可继续上传。

done-imported = 文件已上传，镜像正在制作，可以关闭此页面。
done-made = 已开始制作镜像，可以关闭此页面。
done-made-without-tags = 镜像正在制作。标签未能设置：最多三个，且不宜过长。
done-edited = 已保存。
done-covered = 封面已设置。
done-uncovered = 封面已移除。
done-shared = 已共享。
done-unshared = 已停止共享。
done-copied = 已复制，当前为副本。
done-published = 已提交，审核通过后会出现在社区。

activity-title = 操作记录
activity-image = 镜像或实例 ID
activity-activity = 操作
activity-time = 时间
activity-resource = 对象
activity-result = 结果
activity-who = 途径
activity-done = 成功
activity-refused = 被拒绝（{ $code }）
activity-api = API
activity-console = 控制台
activity-upload = 上传链接
activity-command = 管理员
activity-server = 服务器（到期）
activity-count = 共 { $count } 条记录
activity-none = 还没有任何变更。无论由谁发起，您的镜像和实例的变更都会显示在这里。
activity-none-match = 没有符合条件的记录。
