//! What the operator says about the community: who approves, and the tags to choose from.

use serde::Deserialize;

/// The category of tags that belong to no other, as the real service calls it.
pub const OTHERS: &str = "其他";

/// Settings of the community.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Community {
    /// Who makes an image public that was handed in.
    pub approve: Approve,
    /// The tags to choose from, in the order to show them. Images may have others.
    pub categories: Vec<Category>,
}

/// Who makes an image public that was handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approve {
    /// The operator, with `jingku review`.
    #[default]
    Operator,
    /// Nobody: it is public at once.
    Automatic,
}

/// Tags that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// What it is called.
    pub name: String,
    /// Its tags, in the order to show them.
    #[serde(default)]
    pub tags: Vec<String>,
}

impl Default for Community {
    /// The categories of the real service, each with what most people look for.
    fn default() -> Self {
        let category = |name: &str, tags: &[&str]| Category {
            name: name.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        Self {
            approve: Approve::default(),
            categories: vec![
                category("AIGC热门", &["ComfyUI", "Stable Diffusion", "FLUX", "DeepSeek"]),
                category("图像/视频生成", &["文生图", "图生图", "文生视频", "图生视频", "数字人"]),
                category("语音/TTS生成", &["TTS", "语音克隆", "语音识别", "GPT-SoVITS", "Whisper"]),
                category("LLM", &["大语言模型", "vLLM", "SGLang", "Ollama", "微调", "Qwen", "Llama"]),
                category("计算机视觉", &["目标检测", "图像分割", "OCR", "YOLO", "三维重建"]),
                category("科学计算", &["PyTorch", "TensorFlow", "JAX", "分子动力学", "生物信息"]),
                category(OTHERS, &["JupyterLab", "开发环境", "游戏"]),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_as_usual() {
        let community: Community = toml::from_str("approve = \"automatic\"").unwrap();
        assert_eq!((community.approve, community.categories.len()), (Approve::Automatic, 7));
        let community: Community = toml::from_str(
            "[[categories]]\nname = \"Lab\"\ntags = [\"cv\"]\n[[categories]]\nname = \"Empty\"",
        )
        .unwrap();
        assert_eq!((community.approve, community.categories.len()), (Approve::Operator, 2));
        assert!(toml::from_str::<Community>("approve = \"nobody\"").is_err());
    }
}
